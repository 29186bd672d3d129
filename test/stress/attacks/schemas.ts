/** Schemas and patterns with malicious behavior: they throw, never end, or refer to themselves. */
import type { DelegationResult } from "../../../src/result.ts";
import { stepOf } from "../../support/end-to-end.ts";
import type { Draw } from "./draw.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

/** A schema, and the answer that exploits it. */
type Bomb = { schema: object; answer: unknown };

const SLOW_PATTERNS = ["^(a+)+$", "^(a|aa)+$", "^(a|a?)+$", "^([a-z]+)*$", "(a*)*b", "^(?:a?){40}a{40}$", "(.*a){25}"];
const SLOW_TEXT = `${"a".repeat(41)}!`;

const BOMBS: readonly ((draw: Draw) => Bomb)[] = [
  () => ({ schema: { $async: true, type: "object" }, answer: {} }),
  () => ({ schema: { $async: true, type: "object", required: ["x"] }, answer: { y: 1 } }),
  () => ({ schema: { properties: { x: { $async: true, type: "string" } } }, answer: { x: 1 } }),
  (draw) => ({ schema: { type: "string", pattern: draw.pick(SLOW_PATTERNS) }, answer: SLOW_TEXT }),
  (draw) => ({ schema: { patternProperties: { [draw.pick(SLOW_PATTERNS)]: true } }, answer: { [SLOW_TEXT]: 1 } }),
  (draw) => ({ schema: { propertyNames: { pattern: draw.pick(SLOW_PATTERNS) } }, answer: { [SLOW_TEXT]: 1 } }),
  (draw) => ({
    schema: { items: { anyOf: [{ pattern: draw.pick(SLOW_PATTERNS) }, { type: "number" }] } },
    answer: [SLOW_TEXT, SLOW_TEXT],
  }),
  () => ({ schema: { $ref: "#" }, answer: { x: 1 } }),
  () => ({
    schema: { $ref: "#/$defs/a", $defs: { a: { $ref: "#/$defs/b" }, b: { $ref: "#/$defs/a" } } },
    answer: { x: 1 },
  }),
  () => ({ schema: { anyOf: [{ $ref: "#" }, { type: "object" }] }, answer: { x: 1 } }),
  () => ({ schema: { $ref: "https://example.invalid/schema.json" }, answer: { x: 1 } }),
  () => ({ schema: { $ref: "#/$defs/missing" }, answer: { x: 1 } }),
  () => ({ schema: { $dynamicRef: "#x", $defs: { x: { $dynamicAnchor: "x", $dynamicRef: "#x" } } }, answer: { x: 1 } }),
  () => ({ schema: { $id: "x", $defs: { a: { $id: "x" } }, type: "object" }, answer: { x: 1 } }),
  () => ({ schema: doubling(25), answer: "x" }),
  () => ({ schema: nested(3_000), answer: { x: 1 } }),
  () => ({
    schema: { type: "array", uniqueItems: true },
    answer: Array.from({ length: 5_000 }, (_, n) => ({ n, m: [n] })),
  }),
  () => ({ schema: { enum: Array.from({ length: 20_000 }, (_, n) => ({ n })) }, answer: { n: -1 } }),
  () => ({
    schema: JSON.parse('{"properties":{"__proto__":{"type":"string"},"constructor":{"type":"number"}}}'),
    answer: { x: 1 },
  }),
  () => ({ schema: { type: "string", format: "regex", minLength: 1e308 }, answer: "(" }),
  () => ({ schema: { type: "no such type" }, answer: { x: 1 } }),
  () => ({ schema: { properties: { "\0'\"];throw 1;//": { type: "string" } } }, answer: { x: 1 } }),
];

export async function attackBySchemas(round: Round): Promise<void> {
  const { draw } = round;
  round.configure({ delegation: { max_spawn_depth: 2 } });
  const bombs = Array.from({ length: draw.whole(2, 5) }, () => draw.pick(BOMBS)(draw));
  round.answerWith((request) => {
    const [, order = "0"] = /Order (\d+)/.exec(request.messages[0]?.text ?? "") ?? [];
    const bomb = bombs[Number(order)];
    if (bomb === undefined) return { text: "Done." };
    const isNested = request.messages[0]?.text.includes("by its parent") === true;
    if (isNested || (request.messages[0]?.text.includes("JSON Schema") ?? false))
      return { text: JSON.stringify(bomb.answer) };
    if (stepOf(request) > 1) return { text: "Done." };
    const input = { goal: `Order ${order}, by its parent`, output_schema: bomb.schema };
    return { toolCalls: [{ name: "delegate_task", input }, ...slowSearches(draw)] };
  });
  const tasks = bombs.map(({ schema }, index) =>
    draw.chance(0.7)
      ? { goal: `Order ${index}`, output_schema: schema }
      : { goal: `Order ${index}`, role: "orchestrator" },
  );
  const patterns = draw.chance(0.3) ? ["--allow", `terminal: ${"*a".repeat(30)}b`] : [];
  const ends = ["by itself", "by itself", "by itself", "SIGTERM", "stop", "kill"] as const;
  const run = await runSomehow(round, tasks, { options: patterns, ends });
  checkAnswers(round, (await run.ended).stdout, tasks, bombs);
}

/** A paid answer is kept as it arrived, whatever its schema says. */
function checkAnswers(round: Round, stdout: string, tasks: readonly object[], bombs: readonly Bomb[]): void {
  if (!stdout.startsWith("{\n")) return; // not asked for as a document
  const { results } = JSON.parse(stdout) as DelegationResult;
  for (const [index, { status, summary, api_calls: calls }] of results.entries()) {
    if (!("output_schema" in (tasks[index] ?? {})) || calls === 0 || status === "interrupted") continue;
    const answer = JSON.stringify(bombs[index]?.answer).slice(0, 200);
    if (!summary.startsWith(answer.slice(0, Math.min(summary.length, 200))) || summary === "") {
      round.breach({
        kind: "lost",
        words: `the answer ${answer} of task ${index} is told as ${status}: ${summary.slice(0, 200)}`,
      });
    }
  }
}

function slowSearches(draw: Draw) {
  const braces = "{a,b}".repeat(draw.whole(5, 30));
  return [
    { name: "glob", input: { pattern: `${braces}/**/${"*a".repeat(40)}b` } },
    { name: "grep", input: { pattern: draw.pick(SLOW_PATTERNS) } },
    { name: "grep", input: { pattern: "(".repeat(5_000) } },
    { name: "grep", input: { pattern: `${"(a{1000}){1000}".repeat(3)}` } },
  ];
}

/** As small as its depth, and twice as much work with each step down. */
function doubling(depth: number): object {
  const $defs = Object.fromEntries(
    Array.from({ length: depth }, (_, n) => {
      const next = { $ref: `#/$defs/d${n + 1}` };
      return [`d${n}`, { anyOf: [next, next] }];
    }),
  );
  return { $ref: "#/$defs/d0", $defs: { ...$defs, [`d${depth}`]: { type: "number" } } };
}

function nested(depth: number): object {
  let schema: object = { type: "object" };
  for (let level = 0; level < depth; level++) schema = { not: schema };
  return schema;
}
