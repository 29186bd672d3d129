/**
 * Reads a file of tasks (or standard input) into a `Call`. The format (YAML, JSON or JSON lines) follows from the
 * file's name, else from its content. Errors include their line.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, extname, resolve } from "node:path";
import type { Clock } from "../../clock.ts";
import { yamlError } from "../../config/syntax.ts";
import { DeputyError } from "../../errors.ts";
import { type Call, parseCall, placeInCall, type TaskError } from "../../task.ts";
import { suggest } from "../../text/did-you-mean.ts";
import type { Io } from "../io.ts";

type TaskFileFormat = "yaml" | "json" | "jsonl";
const FORMAT_BY_EXTENSION: Record<string, TaskFileFormat> = {
  ".yaml": "yaml",
  ".yml": "yaml",
  ".json": "json",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
};

/** The content of a file, and the line of each part of it. */
type Source = { input: unknown; lineOf: (path: FilePath) => number | undefined };
type FilePath = (string | number)[];
export type TaskFileText = { name: string; text: string };

/**
 * @param path a file, or `-` for standard input
 * @throws DeputyError `input-unreadable` for something other than a task file, `task-invalid` for one with errors
 */
export async function readTaskFile(path: string, io: Io, maxTasks: number): Promise<Call> {
  const file = await readText(path, io);
  const source = await parse(file, FORMAT_BY_EXTENSION[extname(path).toLowerCase()] ?? formatOf(file.text));
  try {
    return parseCall(source.input, maxTasks);
  } catch (error) {
    throw withLines(error, file.name, source);
  }
}

/** A goal given on standard input, as text. @throws DeputyError `input-unreadable` */
export async function readGoal(io: Io): Promise<string> {
  return (await readText("-", io, "Expected the goal as text.")).text.trim();
}

/** The text of a file, or of standard input for `-`, without a byte order mark. @throws DeputyError `input-unreadable` */
export async function readText(path: string, io: Io, expected = EXPECTED): Promise<TaskFileText> {
  const name = path === "-" ? "standard input" : path;
  const bytes =
    path === "-"
      ? await wholeOf(io.stdin as AsyncIterable<Buffer>, name)
      : await readBytes(resolve(io.cwd, path), path, io, expected);
  if (bytes.includes(0))
    throw unreadable(`${name} is not text: it has a zero byte at ${bytes.indexOf(0)}. ${expected}`);
  const text = decode(bytes, name, expected);
  if (text.trim() === "") throw unreadable(`${name} is empty. ${expected}`);
  return { name, text };
}

const EXPECTED =
  'Expected tasks as YAML, JSON or JSON lines; examples/haiku.yaml is one. To run a single task: deputy run --goal "…"';

/** More than anybody writes, and small enough for memory. */
const MAX_BYTES = 256 * 1024 ** 2;
/** Maximum wait for the writer of a named pipe, and the interval between checks of a pipe, in milliseconds. */
const WRITER_MS = 5_000;
const LOOK_MS = 20;

async function readBytes(path: string, written: string, { clock }: Io, expected: string): Promise<Buffer> {
  try {
    return await wholeOf(piecesOf(path, written, clock, expected), written);
  } catch (error) {
    if (error instanceof DeputyError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw unreadable(`There is no file ${written}. ${(await similar(path)) ?? expected}`);
    throw unreadable(`Cannot read ${written}: ${message}`);
  }
}

/** Reads a file, or a pipe such as `<(command)`. No system call blocks: a pipe may have no writer, or a silent one. */
async function* piecesOf(path: string, written: string, clock: Clock, expected: string): AsyncGenerator<Buffer> {
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = fstatSync(descriptor);
    if (!stats.isFile() && !stats.isFIFO())
      throw unreadable(`${written} is a ${stats.isDirectory() ? "directory" : "device"}. ${expected}`);
    const writerBy = stats.isFIFO() ? clock.elapsed() + WRITER_MS : 0;
    for (let isBegun = false; ; ) {
      const piece = pieceOf(descriptor);
      if (piece !== undefined && piece.length > 0) {
        isBegun = true;
        yield piece;
      } else if (piece !== undefined && (isBegun || clock.elapsed() >= writerBy)) return;
      else await clock.sleep(LOOK_MS);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** Reads what is available; empty at the end, undefined if the writer of a pipe has written nothing yet. */
function pieceOf(descriptor: number): Buffer | undefined {
  const piece = Buffer.alloc(PIECE_BYTES);
  try {
    return piece.subarray(0, readSync(descriptor, piece));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return undefined;
    throw error;
  }
}

const PIECE_BYTES = 64 * 1024;

async function wholeOf(stream: AsyncIterable<Buffer>, name: string): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of stream) {
    pieces.push(piece);
    length += piece.length;
    if (length > MAX_BYTES)
      throw unreadable(`${name} has more than ${MAX_BYTES} bytes. Split the tasks into several runs.`);
  }
  return Buffer.concat(pieces, length);
}

async function similar(path: string): Promise<string | undefined> {
  const names = await readdir(dirname(path)).catch(() => []);
  const [close] = suggest(basename(path), names, 1);
  return close && `Did you mean ${close}?`;
}

function decode(bytes: Buffer, name: string, expected: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw unreadable(`${name} is not text in UTF-8. ${expected}`);
  }
}

/**
 * A text that parses as JSON is JSON; several lines, the first a JSON object or list, are JSON lines; the rest is YAML.
 */
function formatOf(text: string): TaskFileFormat {
  const start = text.trim();
  if (!start.startsWith("{") && !start.startsWith("[")) return "yaml";
  if (isJson(start)) return "json";
  const [first = "", second] = start.split(/\r?\n/, 2);
  return second !== undefined && isJson(first) ? "jsonl" : "yaml";
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function parse(file: TaskFileText, format: TaskFileFormat): Promise<Source> {
  const parsers = { yaml: parseYaml, json: parseJson, jsonl: parseJsonLines };
  return parsers[format](file);
}

/** In YAML, a text must not begin with braces, unless it is in quotes. */
const BEGINS_WITH_BRACES = /(?:^|[:-])\s*\{\{/;
const QUOTE_BRACES = " Put a text that begins with {{ into quotes.";

async function parseYaml({ name, text }: TaskFileText): Promise<Source> {
  const { isCollection, isNode, LineCounter, parseDocument, visit } = await import("yaml");
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) {
    const { line, col } = lines.linePos(problem.pos[0]);
    const hint = BEGINS_WITH_BRACES.test(text.split("\n")[line - 1] ?? "") ? QUOTE_BRACES : "";
    throw unreadable(`${name}:${line}:${col}: ${yamlError(problem, document.errors)}.${hint}`);
  }
  visit(document, {
    Pair(_, { key }) {
      if (!isCollection(key)) return;
      const { line, col } = lines.linePos(key.range?.[0] ?? 0);
      throw unreadable(`${name}:${line}:${col}: expected a text as the key; found braces or brackets.${QUOTE_BRACES}`);
    },
  });
  const input: unknown = document.toJS();
  const offsetOf = (path: FilePath) => {
    const node = document.getIn(path, true);
    return isNode(node) ? node.range?.[0] : undefined;
  };
  return { input, lineOf: (path) => lineIn(text, input, path, offsetOf) };
}

async function parseJson({ name, text }: TaskFileText): Promise<Source> {
  const { jsonOffsets } = await import("./json-text.ts");
  const input = await readJson(text, name, 1);
  const offsetOf = jsonOffsets(text);
  return { input, lineOf: (path) => lineIn(text, input, path, offsetOf) };
}

async function parseJsonLines({ name, text }: TaskFileText): Promise<Source> {
  const lines = text.split(/\r?\n/).flatMap((line, index) => (line.trim() === "" ? [] : [{ line, number: index + 1 }]));
  const tasks = await Promise.all(lines.map(({ line, number }) => readJson(line, name, number)));
  return {
    input: { tasks },
    lineOf: ([, index]) => (typeof index === "number" ? lines[index]?.number : undefined),
  };
}

/** @param firstLine line number of the text in its file */
async function readJson(text: string, name: string, firstLine: number): Promise<unknown> {
  const { JsonError, parseJson } = await import("./json-text.ts");
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw unreadable(`${name}:${firstLine + error.line - 1}:${error.column}: ${error.message}.`);
  }
}

/** The line of the value at a path, or of the nearest one around it. A bare list is the list of tasks. */
function lineIn(
  text: string,
  input: unknown,
  path: FilePath,
  offsetOf: (path: FilePath) => number | undefined,
): number | undefined {
  const inFile = Array.isArray(input) && path[0] === "tasks" ? path.slice(1) : path;
  for (let length = inFile.length; length > 0; length--) {
    const offset = offsetOf(inFile.slice(0, length));
    if (offset !== undefined) return text.slice(0, offset).split("\n").length;
  }
  return undefined;
}

/** The same errors, each with its line. */
function withLines(error: unknown, name: string, source: Source): unknown {
  if (!(error instanceof DeputyError) || error.code !== "task-invalid") return error;
  const mistakes = error.details as TaskError[];
  const located = mistakes.slice(0, MOST_ERRORS).map(({ path, message }) => {
    const line = source.lineOf(partsOf(path));
    const where = [line === undefined ? name : `${name}:${line}`, ...(path === "" ? [] : [placeInCall(path)])].join(
      ": ",
    );
    return `${where}: ${message}`;
  });
  const more = mistakes.length - located.length;
  if (more > 0) located.push(`… and ${more.toLocaleString("en")} more.`);
  return new DeputyError(error.code, located.join("\n"), { details: mistakes });
}

const MOST_ERRORS = 20;

/** Parses `tasks[3].model.provider` to `["tasks", 3, "model", "provider"]`. */
function partsOf(path: string): FilePath {
  return [...path.matchAll(/\[(\d+)\]|[^.[]+/g)].map(([part, index]) => (index === undefined ? part : Number(index)));
}

function unreadable(message: string): DeputyError {
  return new DeputyError("input-unreadable", message);
}
