/** What is wrong with a text that is no YAML or no JSON, in words for people; a parser's own are for programmers. */
import type { YAMLError } from "yaml";

const YAML_WORDS: Partial<Record<YAMLError["code"], string>> = {
  MULTIPLE_DOCS: "expected one document; found another after `---`. Put each into its own file",
  TAB_AS_INDENT: "expected spaces before the key; found a tab",
  BLOCK_AS_IMPLICIT_KEY: "expected one key in this line; found a second colon. Put a text that holds one in quotes",
  DUPLICATE_KEY: "expected each key once; found this one again",
  MISSING_CHAR: "expected a closing quote, bracket or comma; found none",
};

/** One clause: expected, found. */
export function yamlError({ code, message }: YAMLError): string {
  return YAML_WORDS[code] ?? (message.split(/ at line \d+/)[0] as string).trim();
}

/** Where a text stops being JSON, lines and columns counted from 1, and why. @param text is no JSON */
export function jsonError(text: string): { line: number; column: number; message: string } {
  const at = firstWrong(text);
  const before = text.slice(0, at);
  const lines = before.split("\n");
  const message = words(before.trimEnd().at(-1), text[at]);
  return { line: lines.length, column: (lines.at(-1) ?? "").length + 1, message };
}

function words(before: string | undefined, found: string | undefined): string {
  if (found === undefined) return "expected a closing bracket or quote; found the end";
  if (/[\]}]/.test(found) && before === ",") return `expected no comma before ${found}; found one`;
  if (/[\]},]/.test(found) && before === ":") return `expected a value; found ${found}`;
  if (found === "/" || found === "#") return "expected JSON, which has no comments; found one. YAML has them";
  if (found === "'") return "expected a text in double quotes; found single ones";
  return `expected JSON; found ${JSON.stringify(found)}`;
}

/** Index of the first character that no JSON has there; the length of a text that only ends too early. */
function firstWrong(text: string): number {
  let [right, wrong] = [0, text.length + 1];
  while (wrong - right > 1) {
    const middle = Math.floor((right + wrong) / 2);
    if (mayGoOn(text.slice(0, middle))) right = middle;
    else wrong = middle;
  }
  return right;
}

/** Whether a beginning is JSON as far as it goes. */
function mayGoOn(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const { message } = error as Error;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    return /end of JSON|Unterminated/.test(message) || Number(position) >= beginning.trimEnd().length;
  }
}
