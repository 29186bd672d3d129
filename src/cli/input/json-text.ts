/** JSON that people write: its errors are reported with their position before it is used. */
import {
  findNodeAtLocation,
  type Node,
  type ParseErrorCode,
  type ParseOptions,
  parse,
  parseTree,
  printParseErrorCode,
  visit,
} from "jsonc-parser";

/** `message`: a clause that says what was expected and found. Line and column count from 1. */
export class JsonError extends Error {
  readonly line: number;
  readonly column: number;
  constructor(message: string, line: number, column: number) {
    super(message);
    this.line = line;
    this.column = column;
  }
}

/** Parses JSON and rejects duplicate keys. @throws JsonError */
export function parseJson(text: string): unknown {
  check(text, { disallowComments: true, uniqueKeys: true });
  return JSON.parse(text);
}

/** Index in a JSON text of the value at a path; undefined if there is none. */
export function jsonOffsets(text: string): (path: (string | number)[]) => number | undefined {
  let root: Node | undefined;
  return (path) => {
    root ??= parseTree(text);
    return root && findNodeAtLocation(root, path)?.offset;
  };
}

/** The dialect that VS Code reads as JSON. */
export const JSONC = { allowTrailingComma: true, allowEmptyContent: true } satisfies ParseOptions;

/** Parses JSON with comments and trailing commas; undefined if there is nothing else. @throws JsonError */
export function parseJsonc(text: string): unknown {
  check(text, JSONC);
  return parse(text, [], JSONC);
}

/** Maximum nesting depth; readers that recurse can handle more. */
const MAX_DEPTH = 1000;

function check(text: string, options: ParseOptions & { uniqueKeys?: true }): void {
  /** Keys seen in each enclosing object; always empty for a list. */
  const open: Set<string>[] = [];
  const enter = (_offset: number, _length: number, line: number, column: number) => {
    if (open.push(new Set()) <= MAX_DEPTH) return;
    throw new JsonError(`expected at most ${MAX_DEPTH} levels; found more`, line + 1, column + 1);
  };
  const leave = () => void open.pop();
  visit(
    text,
    {
      onObjectBegin: enter,
      onArrayBegin: enter,
      onObjectEnd: leave,
      onArrayEnd: leave,
      onObjectProperty(key, _offset, _length, line, column) {
        const keys = open.at(-1);
        if (options.uniqueKeys && keys?.has(key))
          throw new JsonError(`expected each key once; found ${JSON.stringify(key)} again`, line + 1, column + 1);
        keys?.add(key);
      },
      onError(code, offset, _length, line, column) {
        const before = text.slice(0, offset).trimEnd().at(-1);
        throw new JsonError(words(code, before, text[offset]), line + 1, column + 1);
      },
    },
    options,
  );
}

/** Quotes at most one character: the text may contain keys. */
function words(code: ParseErrorCode, before: string | undefined, found: string | undefined): string {
  const name = printParseErrorCode(code)
    .replace(/\B[A-Z]/g, " $&")
    .toLowerCase();
  if (name === "invalid comment token") return "expected JSON, which has no comments; found one. YAML allows them";
  if (found === "'") return "expected a string in double quotes; found single quotes";
  if (found !== undefined && "]}".includes(found) && before === ",")
    return `expected no comma before ${found}; found one`;
  const [, missing] = /^(.*) expected$/.exec(name) ?? [];
  if (missing === undefined) return `expected JSON; found an ${name}`;
  return `expected ${missing === "end of file" ? "the" : "a"} ${missing}; found ${found === undefined ? "the end" : JSON.stringify(found)}`;
}
