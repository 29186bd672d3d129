/** Types and helpers of this folder's tables: for each field or key, a function that tests its effect. */
import type { ModelRequest, Script, Turn, TurnToolCall } from "../../src/testing/index.ts";

/** By path. Each tests the effect on the wire, on disk or in the result, and its absence without the field. */
export type Effects = Record<string, () => Promise<void>>;

/** The number of a child's step, from 1. */
function stepOf({ messages }: ModelRequest): number {
  return messages.filter(({ role }) => role === "assistant").length + 1;
}

/** Answers with tool results, after one round of calls. */
export function calls(...toolCalls: TurnToolCall[]): (request: ModelRequest) => Turn {
  return (request) => {
    if (stepOf(request) === 1) return { toolCalls };
    const results = request.messages.flatMap(({ toolResults }) => toolResults);
    return { text: results.map(({ text }) => text).join("\n") };
  };
}

/** Delegates once, if it can, and answers with the results. */
export function delegates(call: object): Script {
  return (request) => {
    const can = request.tools.some(({ name }) => name === "delegate_task");
    return can ? calls({ name: "delegate_task", input: call })(request) : { text: "done" };
  };
}

/** Runs one command, and answers with the result. */
export function runs(commandLine: string): Script {
  return calls({ name: "terminal", input: { command: commandLine } });
}

/** Writes one file, and answers with the result. */
export function writes(path: string): Script {
  return calls({ name: "write_file", input: { path, content: "written" } });
}

/** Works for this many steps before it answers. Stops early when asked to. */
export function worksFor(steps: number, turn: Turn = {}): Script {
  return (request) =>
    stepOf(request) > steps || request.lastUserText.startsWith("You have reached the limit")
      ? { ...turn, text: "done" }
      : { ...turn, toolCalls: [{ name: "list_dir", input: { path: "." } }] };
}

export function answers(turn: Turn): Script {
  return () => turn;
}

/** One vendor's requests are all rejected permanently. */
export const ACME_REFUSES: Script = ({ keyName }) =>
  keyName === "ACME_KEY"
    ? { fault: { kind: "response", status: 400, body: '{"error":{"message":"no"}}' } }
    : { text: "done" };

/** Prices of acme-1 with round numbers: a thousandth of a dollar per output token. */
export const PRICED = {
  providers: { acme: { models: { "acme-1": { price: { input: 0, output: 1000 } } } } },
};

/** An answer that costs 1.5 dollars at those prices. */
export const COSTLY: Turn = { text: "done", usage: { input: 10, output: 1500 } };
