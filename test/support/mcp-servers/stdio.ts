/**
 * A scripted MCP server over standard input and output. Variables: `SCRIPT` holds `ScriptOptions` as JSON, `START` how it
 * starts, `LOG` the file in which it notes its process and each message that it gets.
 */
import { appendFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createScript, type Message } from "./script.ts";

const { SCRIPT = "{}", START = "well", LOG } = process.env;

function note(line: string): void {
  if (LOG !== undefined) appendFileSync(LOG, `${line}\n`);
}

note(`start ${process.pid}`);
const handle = createScript(
  {
    send: (message) => process.stdout.write(`${JSON.stringify(message)}\n`),
    sendRaw: (text) => process.stdout.write(text),
    die() {
      process.stderr.write("a bug in the server\n");
      process.exit(7);
    },
  },
  { ...JSON.parse(SCRIPT), cwd: process.cwd(), variables: process.env },
);

const STARTS: Record<string, () => void> = {
  well() {},
  /** Prints what is no message around its messages. */
  noisily() {
    process.stdout.write("Starting the server …\n{ not json\n[1]\n");
  },
  not() {
    process.stderr.write("DOCS_DIR is not set\n");
    process.exit(3);
  },
  /** Ends with colors, a title, a redrawn line and hidden characters in its last output. */
  colorfully() {
    process.stderr.write("\x1b[31mred\x1b[0m\x1b]0;title\x07 one\r\n10 %\r20 %\x1b[K\nbell \x07 nul \0 evil \u202e\n");
    process.exit(3);
  },
  /** Never answers, and does not end with its input. */
  silently: stay,
  garbled() {
    stay();
    setInterval(() => process.stdout.write(`${"garbage ".repeat(8_000)}\n`), 1);
  },
  /** Answers, but ignores the end of its input and TERM. */
  stubbornly() {
    setInterval(() => {}, 1_000);
    process.on("SIGTERM", () => {});
  },
};

function stay(): void {
  setInterval(() => {}, 1_000);
  process.stdin.resume();
}

STARTS[START]?.();
if (!["silently", "garbled"].includes(START))
  createInterface({ input: process.stdin }).on("line", (line) => {
    note(line);
    handle(JSON.parse(line) as Message);
  });
