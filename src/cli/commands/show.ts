/** `deputy show`: a run's results, or the details of one child: route, attempts, tool calls, transcript. */

import type { ChainHead } from "../../journal/chain.ts";
import { type Result, resultOf } from "../../result.ts";
import { hasEnded, minuteOf, parseRunId, type Run, type RunChild, resultsOf } from "../../run/run.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { requestLines } from "../approvals/approval-prompt.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, positiveInteger, withDeputy } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import type { Paint } from "../io.ts";
import { setAsideNote } from "../serving/resume-after-crash.ts";
import { goalIn, taskPosition } from "../terminal/event-lines.ts";
import { conflictText } from "../terminal/file-changes.ts";
import {
  formatAnswer,
  formatAnswers,
  GOAL_COLUMNS,
  type ResultStyle,
  resultStyleOn,
} from "../terminal/final-answers.ts";
import { formatCount, plural } from "../terminal/format.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { formatTranscript } from "../terminal/transcript.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import { printRequest } from "./show-request.ts";

type ShowFlags = { last?: true; request?: number; json?: true; config?: string };

export const declareShow: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Show a run's results, or the details of one child.")
    .argument("[id]", "a run, or a child (ID.n)")
    .option(...LAST_OPTION)
    .option("--request <number>", "print the child's nth request, byte for byte, without its key", positiveInteger)
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy show --last", "the newest run"],
        ["deputy show 7f3a", "each answer of a run with route, time and cost"],
        ["deputy show 7f3a.2", "the second child: attempts, tool calls, full conversation"],
        ["deputy show 7f3a.2 --request 3 > body.json", "what its third request sent"],
        ["deputy show 7f3a --json", "the same document that deputy run --json printed"],
        ["deputy show 7f3a.2 --json", "one child: { result, events }"],
      ]),
    )
    .action((written: string | undefined, flags: ShowFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const id = await whichRun(engine, { id: written, last: flags.last }, io);
        if (flags.request !== undefined) {
          const request = await engine.request(id, flags.request);
          return context.exitWith(printRequest(request, flags.json === true, io));
        }
        const listing = await engine.run(id);
        const { run } = listing;
        io.stderr.write(wrapFor(io.stderr, setAsideNote(listing)));
        const { taskIndex } = parseRunId(id);
        const style = resultStyleOn(io.stdout, io.env);
        const { paint } = style;
        if (taskIndex === undefined) {
          if (flags.json) io.stdout.write(jsonDocument(resultsOf(run)));
          else io.stdout.write(`${formatRun(run, style)}${headLine(await engine.head(run.delegationId), paint)}`);
          return;
        }
        const events = await Array.fromAsync(engine.events(id));
        if (flags.json) io.stdout.write(jsonDocument({ result: resultOfChild(run, taskIndex) ?? null, events }));
        else io.stdout.write(`${formatChild(run, taskIndex, style)}\n${formatTranscript(events, paint)}`);
      }),
    );
};

/** The head of the run's chain, for `deputy journal verify --head`. */
function headLine(head: ChainHead | undefined, paint: Paint): string {
  if (head === undefined) return "";
  const { ordinal, sha256 } = head;
  return `\n${paint("dim", `${plural(ordinal, "event")}, head ${sha256}`)}\n`;
}

function resultOfChild(run: Run, taskIndex: number): Result | undefined {
  const child = run.children[taskIndex];
  return child !== undefined && hasEnded(child) ? resultOf(child.tally) : undefined;
}

export function formatRun(run: Run, style: ResultStyle): string {
  const { paint } = style;
  const open = run.children.filter((child) => !hasEnded(child));
  const lines = open.map(({ tally, activity, questions }) => {
    const goal = goalIn(run, tally.taskIndex, GOAL_COLUMNS);
    const head = paint("bold", `${taskPosition(tally.taskIndex, run)} ${goal}`);
    const asked = questions.flatMap((question) => requestLines(question, paint));
    return `${style.wrap([head, paint("dim", `not finished: ${oneLine(activity)}`), ...asked].join("\n"))}\n`;
  });
  const rest = lines.length === 0 ? "" : `\n${lines.join("\n")}`;
  return `${formatAnswers(run, resultsOf(run), style)}${rest}`.trimStart();
}

export function formatChild(run: Run, taskIndex: number, style: ResultStyle): string {
  const { paint } = style;
  const result = resultOfChild(run, taskIndex);
  if (result === undefined) {
    const child = run.children[taskIndex];
    const messages = messagesTo(run, taskIndex).map(([name, value]) => `${name}: ${oneLine(value)}\n`);
    const delegated = delegatedBy(child).map(([name, value]) => `${name}: ${oneLine(value)}\n`);
    return `${taskPosition(taskIndex, run)} not finished: ${oneLine(child?.activity ?? "unknown")}\n${messages.join("")}${delegated.join("")}`;
  }
  const facts = [
    ...factsOf(result),
    ...appliedFacts(run.children[taskIndex]),
    ...messagesTo(run, taskIndex),
    ...delegatedBy(run.children[taskIndex]),
  ].map(([name, value]) => style.wrap(`${paint("dim", name.padEnd(10))} ${oneLine(value)}`, " ".repeat(11)));
  return `${formatAnswer(run, result, style)}\n\n${facts.join("\n")}\n`;
}

/** Delegations of the child. */
function delegatedBy(
  { delegations }: Pick<RunChild, "delegations"> = { delegations: [] },
): [name: string, value: string][] {
  return delegations.map(({ delegationId, children }) => {
    const completed = children.filter(({ tally }) => tally.ending?.status === "completed").length;
    const how = `${plural(children.length, "task")}, ${completed} completed`;
    return ["delegated", `${how} · deputy show ${delegationId}`];
  });
}

/** Messages to the child, and whether each was delivered. */
function messagesTo(run: Run, taskIndex: number): [name: string, value: string][] {
  const { steers = [] } = run.children[taskIndex] ?? {};
  return steers.map(({ state, by, text }) => ["message", `${state}, ${by}: ${text}`]);
}

/** Known facts in addition to the answer, without empty ones. */
function factsOf(result: Result): [name: string, value: string][] {
  const { route, tokens } = result;
  const facts: [string, string][] = [["status", `${result.status} (${result.exit_reason})`]];
  if (result.carried_from !== undefined)
    facts.push(["carried", `over from an earlier run: deputy show ${result.carried_from}`]);
  if (route !== null) {
    const { model, provider, reasoning_effort: effort } = route.chosen_by;
    facts.push(["chosen by", `model: ${model}, provider: ${provider}${effort === null ? "" : `, effort: ${effort}`}`]);
    facts.push(["endpoint", `${route.endpoint}, key ${route.key_names.join(", ") || route.key_name || "none needed"}`]);
    if (route.served_models.length > 0)
      facts.push(["served", `${route.served_models.join(", ")} (as the provider reports)`]);
    facts.push(...route.attempts.map((attempt): [string, string] => ["attempt", attemptText(attempt)]));
  }
  facts.push([
    "tokens",
    `${formatCount(tokens.input)} in (${cachedShare(tokens)} cached), ${formatCount(tokens.output)} out ` +
      `(${formatCount(tokens.reasoning)} reasoning), ${plural(result.api_calls, "request")}`,
  ]);
  for (const tool of result.tool_trace) {
    facts.push(["tool", `${tool.ok ? "✓" : "✗"} ${tool.name} ${tool.target} (${formatCount(tool.bytes)} bytes)`]);
  }
  facts.push(...branchFacts(result));
  if (result.files_changed.length > 0) facts.push(["files", result.files_changed.join(", ")]);
  return [...facts, ...result.warnings.map((warning): [string, string] => ["warning", warning.message])];
}

/** `deputy/7f3a/1-fix-it, 2 commits since 1a2b3c4d5e6f`; without changes, the base alone. Then what it collides with. */
function branchFacts({
  branch,
  base,
  commits = 0,
  conflicts = [],
  child_id: id,
}: Result): [name: string, value: string][] {
  if (base === undefined) return [];
  const since = `since ${base.slice(0, 12)}`;
  const work =
    branch === undefined
      ? `none: no changes ${since}`
      : `${branch}, ${plural(commits, "commit")} ${since} · deputy diff ${id} · deputy apply ${id}`;
  return [
    ["branch", work],
    ...conflicts.map((conflict): [string, string] => [
      "conflict",
      `does not merge with ${conflict.child_id}: ${conflictText(conflict)}`,
    ]),
  ];
}

/** Where its work was applied, and when. */
function appliedFacts(child: RunChild | undefined): [name: string, value: string][] {
  return (child?.tally.applied ?? []).map(({ at, to, directory }) => {
    const where = to.kind === "branch" ? `the branch ${to.name} of ${directory}` : directory;
    return ["applied", `to ${where} at ${minuteOf(at)}`];
  });
}

/** `0`, or `12k = 80 %`. */
function cachedShare({ input, cached }: Result["tokens"]): string {
  if (cached === 0 || input === 0) return formatCount(cached);
  return `${formatCount(cached)} = ${Math.round((cached / input) * 100)} %`;
}

function attemptText({
  provider,
  model,
  requests,
  failures,
}: NonNullable<Result["route"]>["attempts"][number]): string {
  const failed = failures.length === 0 ? "" : `, failed: ${failures.join(", ")}`;
  return `${model} @ ${provider}, ${plural(requests, "request")}${failed}`;
}
