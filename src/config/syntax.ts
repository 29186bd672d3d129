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

const SAME_COLUMN = "expected the keys of one map, and the `-` of one list, to start in the same column";
const THIS_LINE = `wrong indentation: ${SAME_COLUMN}; found another column`;
const NEXT_LINE = `wrong indentation: ${SAME_COLUMN}; found the next line further to the right`;

/** The parser's messages about wrong indentation, whose codes other errors share. */
const INDENTATION: readonly [says: RegExp, words: string][] = [
  [/^All mapping items must start at the same column/, THIS_LINE],
  [/^Sequence item without - indicator/, THIS_LINE],
  [/^A block sequence may not be used as an implicit map key/, THIS_LINE],
  [/^Flow (?:sequence|map) .* end with a ([\]}])/, "expected a closing $1 before this line; found none"],
];

/** One clause: what was expected and found. @param errors all errors of the text, of which this is one */
export function yamlError({ code, message, pos }: YAMLError, errors: readonly YAMLError[]): string {
  for (const [says, words] of INDENTATION) {
    const found = says.exec(message);
    if (found !== null) return words.replace("$1", found[1] ?? "");
  }
  // A key inside the value of a key: in the same line, or as the deeper line below it.
  const goesOn = errors.some((other) => other.code === "MULTILINE_IMPLICIT_KEY" && other.pos[0] === pos[0]);
  if (code === "BLOCK_AS_IMPLICIT_KEY" && goesOn) return NEXT_LINE;
  return YAML_WORDS[code];
}
