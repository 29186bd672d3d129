/** Explains YAML syntax errors to users; the parser's own messages are for programmers. */
import type { YAMLError } from "yaml";

const YAML_WORDS: Partial<Record<YAMLError["code"], string>> = {
  MULTIPLE_DOCS: "expected one document; found another after `---`. Put each into its own file",
  TAB_AS_INDENT: "expected spaces before the key; found a tab",
  BLOCK_AS_IMPLICIT_KEY: "expected one key in this line; found a second colon. Quote a text that contains one",
  DUPLICATE_KEY: "expected each key once; found this one again",
  MISSING_CHAR: "expected a closing quote, bracket or comma; found none",
};

/** One clause: what was expected and found. */
export function yamlError({ code, message }: YAMLError): string {
  return YAML_WORDS[code] ?? (message.split(/ at line \d+/)[0] ?? message).trim();
}
