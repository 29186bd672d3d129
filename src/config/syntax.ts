/** Explains YAML syntax errors to users; the parser's own messages are for programmers, and may quote a key. */
import type { YAMLError } from "yaml";

const YAML_WORDS: Record<YAMLError["code"], string> = {
  ALIAS_PROPS: "expected an alias (`*name`) alone; found an anchor or a tag before it",
  BAD_ALIAS: "expected the name of an anchor (`&name`) after `*`; found something else. Quote a text that begins so",
  BAD_COLLECTION_TYPE: "expected a tag that fits its value; found one of another kind",
  BAD_DIRECTIVE: "expected a YAML directive after `%`; found something else. Quote a text that begins so",
  BAD_DQ_ESCAPE: "expected a known escape after `\\`; found another. Use single quotes for a text with backslashes",
  BAD_INDENT: "expected the same indentation as the lines before; found another",
  BAD_PROP_ORDER: "expected an anchor or a tag directly before its value; found it elsewhere",
  BAD_SCALAR_START: "expected a plain text; found a character that is reserved at its start. Quote the text",
  BLOCK_AS_IMPLICIT_KEY: "expected one key in this line; found a second colon. Quote a text that contains one",
  BLOCK_IN_FLOW: "expected a value within the brackets; found an indented block",
  DUPLICATE_KEY: "expected each key once; found this one again",
  IMPOSSIBLE: "expected YAML; found something that cannot be read",
  KEY_OVER_1024_CHARS: "expected a key of at most 1,024 characters; found a longer one",
  MISSING_CHAR: "expected a closing quote, bracket or comma; found none",
  MULTILINE_IMPLICIT_KEY: "expected a key in one line, with a colon; found several lines",
  MULTIPLE_ANCHORS: "expected one anchor for a value; found several",
  MULTIPLE_DOCS: "expected one document; found another after `---`. Put each into its own file",
  MULTIPLE_TAGS: "expected one tag for a value; found several",
  NON_STRING_KEY: "expected a text as the key; found something else",
  RESOURCE_EXHAUSTION: "expected a file of reasonable depth and size; found a larger one",
  TAB_AS_INDENT: "expected spaces before the key; found a tab",
  TAG_RESOLVE_FAILED: "expected a value that fits its tag; found another",
  UNEXPECTED_TOKEN: "expected a key with its value, or the end of the text; found something else",
};

/** One clause: what was expected and found. */
export function yamlError({ code }: YAMLError): string {
  return YAML_WORDS[code];
}
