/** A report on a run as data: what was asked, where it ran, what it cost, what came of it and which files it changed. */
import type { StoredEvent } from "../../event.ts";
import { costIn, type Result, resultOf, usedAlone } from "../../result.ts";
import { allChildren, hasEnded, type Run, type RunChild, resultsOf } from "../../run/run.ts";
import { type FilePatch, readPatch } from "../../tools/files/edits/patch/parse-patch.ts";
import { fieldsOf, isRecord } from "../../values/record.ts";
import { taskPosition } from "../terminal/event-lines.ts";
import {
  formatCost,
  formatCount,
  formatDuration,
  formatOutcome,
  formatReason,
  formatRoute,
  formatTotalCost,
  plural,
} from "../terminal/format.ts";

export type ReportFact = [name: string, value: string];

/** A change by a file tool: the lines that it took away and put in their place. */
export type FileChange = { path: string; removed: string[]; added: string[] };

export type ChildReport = {
  title: string;
  completed: boolean;
  facts: ReportFact[];
  goal: string;
  /** Empty if there was none. */
  answer: string;
  changes: FileChange[];
};

export type RunReport = { title: string; facts: ReportFact[]; children: ChildReport[] };

/** @param events of the run and the runs below it */
export async function reportOn(run: Run, events: AsyncIterable<StoredEvent>): Promise<RunReport> {
  const changes = await changesIn(events);
  const { results, total_duration_seconds: seconds } = resultsOf(run);
  const completed = results.filter(({ status }) => status === "completed").length;
  return {
    title: `Run ${run.delegationId}`,
    facts: [
      ["Started", new Date(run.startedAt).toISOString()],
      ["Tasks", `${completed} of ${plural(run.children.length, "task")} completed in ${formatDuration(seconds)}`],
      ["Cost", withoutName(formatTotalCost(allChildren(run).map(({ tally }) => costIn(usedAlone(tally)))))],
      ...optional("Directory", run.directory),
      ...optional("Retry of", run.retryOf),
      ...optional("Forked from", run.forkOf && `${run.forkOf.from}@${run.forkOf.step}`),
    ],
    children: childrenOf(run).map(({ child, run: own }) => childReport(child, own, changes)),
  };
}

/** Every child of a tree with its run, each before the children below it. */
function childrenOf(run: Run): { child: RunChild; run: Run }[] {
  return run.children.flatMap((child) => [{ child, run }, ...child.delegations.flatMap(childrenOf)]);
}

function childReport(child: RunChild, run: Run, changes: ReadonlyMap<string, FileChange[]>): ChildReport {
  const { tally } = child;
  const result = hasEnded(child) ? resultOf(tally) : undefined;
  return {
    title: `${taskPosition(tally.taskIndex, run)} ${tally.childId}`,
    completed: result?.status === "completed",
    facts: [
      ...(result === undefined ? [["Status", `not finished: ${child.activity}`] as ReportFact] : endFacts(result)),
      ...usageFacts(child),
    ],
    goal: child.asked,
    answer: result?.summary ?? "",
    changes: changes.get(tally.childId) ?? [],
  };
}

function endFacts(result: Result): ReportFact[] {
  const { route, files_changed: files, branch } = result;
  return [
    ["Status", result.status === "completed" ? "completed" : formatReason(result)],
    ["Route", formatOutcome(result)],
    ...(route === null ? [] : routeFacts(route)),
    ...optional("Branch", branch),
    ...optional("Files changed", files.length === 0 ? undefined : files.join(", ")),
    ...result.warnings.map(({ message }): ReportFact => ["Warning", message]),
  ];
}

function routeFacts({ endpoint, served_models: served, attempts }: NonNullable<Result["route"]>): ReportFact[] {
  const tried = attempts.map(
    ({ model, provider, requests }) => `${formatRoute({ model, provider })}, ${plural(requests, "request")}`,
  );
  return [
    ["Endpoint", endpoint],
    ...optional("Served by", served.length === 0 ? undefined : `${served.join(", ")} (as the provider reports)`),
    ...optional("Attempts", tried.length < 2 ? undefined : tried.join("; ")),
  ];
}

function usageFacts({ tally }: RunChild): ReportFact[] {
  if (tally.apiCalls === 0) return [];
  const { tokens } = tally;
  return [
    [
      "Tokens",
      `${formatCount(tokens.input)} in, ${formatCount(tokens.output)} out, ${plural(tally.apiCalls, "request")}`,
    ],
    ["Cost", withoutName(formatCost(costIn(usedAlone(tally))))],
  ];
}

/** `cost unknown` without the word that the fact's name says. */
function withoutName(cost: string): string {
  return cost.replace(/^cost /, "");
}

function optional(name: string, value: string | undefined): ReportFact[] {
  return value === undefined ? [] : [[name, value]];
}

/** What the file tools changed, by child: the inputs of the calls that succeeded. */
async function changesIn(events: AsyncIterable<StoredEvent>): Promise<Map<string, FileChange[]>> {
  const changes = new Map<string, FileChange[]>();
  const asked = new Map<string, unknown>();
  for await (const event of events) {
    if (event.kind === "step-end") {
      for (const part of event.parts)
        if (part.type === "tool-call") asked.set(`${event.childId} ${part.callId}`, part.input);
    } else if (event.kind === "tool-end" && event.ok && event.filesChanged.length > 0) {
      const made = changesOf(event.target, asked.get(`${event.childId} ${event.callId}`));
      changes.set(event.childId, [...(changes.get(event.childId) ?? []), ...made]);
    }
  }
  return changes;
}

function changesOf(path: string, input: unknown): FileChange[] {
  if (!isRecord(input)) return [];
  const { content, edits, input: patch } = input;
  if (typeof content === "string") return [{ path, removed: [], added: content.split("\n") }];
  if (typeof patch === "string") return readPatch(patch).map(patchChange);
  return (Array.isArray(edits) ? edits : [input]).flatMap((edit) => editChange(path, edit));
}

function editChange(path: string, edit: unknown): FileChange[] {
  const { old_string: before, new_string: after } = fieldsOf(edit);
  if (typeof before !== "string" || typeof after !== "string") return [];
  return [{ path, removed: before.split("\n"), added: after.split("\n") }];
}

function patchChange(file: FilePatch): FileChange {
  if (file.kind === "add") return { path: file.path, removed: [], added: file.content.split("\n") };
  if (file.kind === "delete") return { path: file.path, removed: ["(deleted)"], added: [] };
  const lines = file.hunks.flatMap((hunk) => hunk.lines);
  const signed = (wanted: string) => lines.flatMap(({ sign, text }) => (sign === wanted ? [text] : []));
  const path = file.moveTo === undefined ? file.path : `${file.path} → ${file.moveTo}`;
  return { path, removed: signed("-"), added: signed("+") };
}
