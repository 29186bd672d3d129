/**
 * A string in the config that may contain a key: `sk-…` or `${GLM_API_KEY}`. It prints as the variables it names, never
 * as the rest of its text, and is expanded only where a request is prepared, from the given environment.
 */
import { inspect } from "node:util";

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

/** Returns whether every `${` starts a variable: `${MY-KEY}` and `${KEY:-x}` do not, and would be sent as written. */
export function namesVariablesRightly(text: string): boolean {
  return !text.replaceAll(VARIABLE, "").includes("${");
}

/** Replaces every `${NAME}` in `text` with its value; a blank value counts as unset. */
export function expandVariables(text: string, env: Environment): Expansion {
  const unset = variablesIn(text).filter((name) => (env[name] ?? "").trim() === "");
  return unset.length > 0 ? { unset } : { text: text.replaceAll(VARIABLE, (_, name: string) => env[name] ?? "") };
}
