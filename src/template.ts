/**
 * A text of the config that may hold a key: `sk-…` or `${GLM_API_KEY}`. It prints as the variables it names, never as
 * what else is written in it, and is read only where a request is prepared, with the environment at hand.
 */
import { inspect } from "node:util";

export type Environment = Record<string, string | undefined>;

/** A text with its variables filled in, or the variables that have no value. */
export type Expansion = { text: string } | { unset: string[] };

const VARIABLE = /\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g;

export class Template {
  readonly #text: string;
  /** The variables it names, in order. */
  readonly variables: readonly string[];

  constructor(text: string) {
    this.#text = text;
    this.variables = variablesIn(text);
  }

  expand(env: Environment): Expansion {
    return expandVariables(this.#text, env);
  }

  /** Only variables are shown: `Bearer ${TOKEN}` prints as `[secret]${TOKEN}`. */
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

/** Whether every `${` begins a variable: `${MY-KEY}` and `${KEY:-x}` are none, and would be sent as they are. */
export function namesVariablesRightly(text: string): boolean {
  return !text.replaceAll(VARIABLE, "").includes("${");
}

/** `text` with every `${NAME}` replaced by its value; a blank value counts as none. */
export function expandVariables(text: string, env: Environment): Expansion {
  const unset = variablesIn(text).filter((name) => (env[name] ?? "").trim() === "");
  return unset.length > 0 ? { unset } : { text: text.replaceAll(VARIABLE, (_, name: string) => env[name] ?? "") };
}
