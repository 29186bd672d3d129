/**
 * A string in the config that may contain a key: `sk-…` or `${GLM_API_KEY}`. It prints as the variables it names, never
 * as the rest of its text, and is expanded only where a request is prepared, from the given environment.
 */
import { inspect } from "node:util";
import { mayBeKey } from "./secret.ts";

export type Environment = Record<string, string | undefined>;

/** A text with its variables expanded, or the variables that have no value. */
export type Expansion = { text: string } | { unset: string[] };

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export class Template {
  readonly #text: string;
  /** Names of its variables, in order. */
  readonly variables: readonly string[];

  constructor(text: string) {
    this.#text = text;
    this.variables = variablesIn(text);
  }

  expand(env: Environment): Expansion {
    return expandVariables(this.#text, env);
  }

  /** Whether this is a URL of http or https in which no variable decides the origin. */
  hasWrittenHost(): boolean {
    return /^https?:\/\/[^\s/?#@$\\]+([/?#]|$)/.test(this.#text) && URL.canParse(this.#text);
  }

  /** Shows only variables: `Bearer ${TOKEN}` prints as `[secret]${TOKEN}`. */
  toString(): string {
    const shown = this.variables.map((name) => `\${${name}}`).join("");
    return this.#text.replaceAll(VARIABLE, "") === "" ? shown : `[secret]${shown}`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }
}

export function variablesIn(text: string): string[] {
  return [...text.matchAll(VARIABLE)].map(([, name = ""]) => name);
}

/** How other programs write a variable, each with its name. */
const OTHER_FORMS: readonly RegExp[] = [
  /\$\{\s*(?:env[:.])?\s*([A-Za-z_]\w*)\s*\}/,
  /\$env:\{?([A-Za-z_]\w*)\}?/i,
  /\$\(([A-Za-z_]\w*)\)/,
  /\$([A-Za-z_]\w*)/,
  /%(?![\dA-Fa-f]{2}%)([A-Za-z_]\w*)%/,
  /\{\{\s*(?:[$.]?(?:env|vars?|secrets?)[:.])?[$.]?([A-Za-z_]\w*)\s*\}\}/,
  /\{(?:env|file):([A-Za-z_]\w*)\}/,
  /\{([A-Z][A-Z\d_]*)\}/,
];
/** A text as a whole: in a longer one, these are tags and paths. */
const OTHER_WHOLE = /^(?:!?env|process\.env|os\.environ)[ .:/]([A-Za-z_]\w*)$/i;
/** Only as a word of its own: `pa$$word` and `50%off%` are ordinary texts. */
const OTHER_WORDS = OTHER_FORMS.map(
  ({ source, flags }) => new RegExp(`(?:^|(?<=[\\s=:,;/@.]))(?:${source})(?=$|[\\s=:,;/@.])`, flags),
);
/** The name of a variable, not a key that begins with `$`: it may be shown. */
const PLAIN_NAME = /^[A-Z]{1,20}(_([A-Z]{1,20}|\d{1,2}))*$/;

/** A variable in a form that is not expanded: it would be sent as it is. `name` is absent if it may be a key. */
export function unexpandedVariable(text: string): { name?: string } | undefined {
  const rest = text.replaceAll(VARIABLE, "");
  const found = [OTHER_WHOLE, ...OTHER_WORDS].map((form) => form.exec(rest.trim())).find((match) => match !== null);
  if (found === undefined) return rest.includes("${") || variablesIn(text).some(mayBeKey) ? {} : undefined;
  const [, name = ""] = found;
  return PLAIN_NAME.test(name) ? { name } : {};
}

/** Replaces every `${NAME}` in `text` with its value; a blank value counts as unset. */
export function expandVariables(text: string, env: Environment): Expansion {
  const unset = variablesIn(text).filter((name) => (env[name] ?? "").trim() === "");
  return unset.length > 0 ? { unset } : { text: text.replaceAll(VARIABLE, (_, name: string) => env[name] ?? "") };
}
