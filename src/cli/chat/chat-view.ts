/** The display of a chat: the answer as it is written, tool calls, running delegations, and how each turn ended. */

import type { Clock } from "../../clock.ts";
import type { ChildEvent, Event } from "../../event.ts";
import { costOf, routeAt } from "../../result.ts";
import { callInWords, type Run, runIn } from "../../run/run.ts";
import type { Output, Paint } from "../io.ts";
import { formatEvent, lastOutput, noteOn } from "../terminal/event-lines.ts";
import { formatCost, formatDuration, formatRoute } from "../terminal/format.ts";
import { createLinePrinter } from "../terminal/lines.ts";
import { createQuestionRows } from "../terminal/live-question.ts";
import { createMarkdownFlow } from "../terminal/markdown/markdown-flow.ts";
import { createTextFlow } from "../terminal/markdown/text-flow.ts";
import { createScreen, type Screen, type ScreenRow, type Size, sizeOf } from "../terminal/screen.ts";
import { displayWidth, fit, fitEnd, oneLine } from "../terminal/terminal-text.ts";
import { createRunRows, type RunRows } from "../terminal/tree.ts";
import type { ViewQuestion } from "../terminal/view.ts";

export type ChatViewDeps = {
  output: Output;
  paint: Paint;
  clock: Clock;
  /** Whether the cursor can be moved; otherwise nothing is redrawn in place. */
  rich: boolean;
  /** Whether Markdown is formatted. */
  styled: boolean;
  verbose: boolean;
  /** Whether approval requests are shown here. */
  asksHere: boolean;
  /**
   * Returns what is being typed during a turn. Without it the answer's text is not shown, because it goes to another
   * stream.
   */
  typed?: () => string;
};

export interface ChatView {
  /** Starts a turn. @param known the conversation so far, unless this is its first turn */
  beginTurn(known: Run | undefined): void;
  /** Shows an event of the turn or of its delegations, with the conversation it was folded into. */
  onEvent(event: Event, run: Run): void;
  /** The conversation as of the last event. */
  readonly run: Run | undefined;
  /** Ids of running delegations, oldest first. */
  delegations(): string[];
  /** Prints a line of Deputy's own. */
  print(line: string): void;
  /** Opens a question in the redrawn rows, if there are any. */
  openQuestion?(): ViewQuestion;
  /** Says that the turn is being stopped. */
  stopping(): void;
  /** Removes the redrawn rows while something else is written, then restores them. */
  pause(): void;
  resume(): void;
  endTurn(): void;
}

/** Names under which this chat stops what it has delegated. It says so when it does. */
const OWN_STOPS = ["Esc", "Ctrl-C", "/stop"];

export function createChatView(deps: ChatViewDeps): ChatView {
  const { output, paint, clock, rich, styled } = deps;
  const { verbose, asksHere, typed } = deps;
  const format = { verbose, asksHere, paint, columns: () => sizeOf(output).columns };
  const answerColumns = () => sizeOf(output).columns - 1;
  const flow = styled ? createMarkdownFlow(answerColumns, paint) : createTextFlow(answerColumns);
  /** Running delegations of the conversation, each with everything below it. */
  const below = new Map<string, RunRows>();
  let session: Run | undefined;
  let beganAt = 0;
  let isStopping = false;
  const lines = createLinePrinter(output);
  let screen = idleScreen();
  const questions = createQuestionRows({
    paint,
    size: () => sizeOf(output),
    run: () => session,
    print,
    redraw: () => screen.resume(),
  });

  /** Writes lines at once between turns. */
  function idleScreen(): Screen {
    return { print: lines.print, start() {}, release() {}, pause() {}, resume() {} };
  }

  function movingRows(size: Size): ScreenRow[] {
    const { columns } = size;
    const asked = questions.rows(size);
    const last = asked.length > 0 || typed === undefined ? asked : [typedRow(typed(), columns - 1, paint)];
    const free = size.rows - last.length;
    const room = Math.max(1, Math.floor((free - 3) / Math.max(1, below.size)));
    const rows = [
      ...flow.open(Math.max(1, free - (below.size > 0 ? room * below.size : 1) - 1)),
      ...[...below.values()].flatMap((each) => each.rows({ columns, rows: room }, clock.now())),
      ...(below.size > 0 && !isStopping ? [] : [statusRow(columns - 1)]),
      ...last,
    ];
    return rows.slice(Math.max(0, rows.length - size.rows + 1));
  }

  function statusRow(columns: number): ScreenRow {
    const seconds = Math.max(0, Math.floor((clock.now() - beganAt) / 1000));
    const [child] = session?.children ?? [];
    const activity = child === undefined || session?.endedAt !== undefined ? "waiting" : child.activity;
    const tally = child?.tally;
    const route = tally && "route" in tally.planned ? [formatRoute(routeAt(tally.planned, tally.position))] : [];
    const [what, key] = isStopping ? ["stopping", "Ctrl-C exits"] : [oneLine(activity), "Esc stops"];
    const text = fit([what, `${seconds}s`, ...route.map(oneLine), key].join(" · "), columns);
    return { text: paint("dim", text), width: displayWidth(text) };
  }

  function write(piece: string): void {
    if (rich) for (const row of flow.add(piece)) screen.print(row);
    else for (const row of flow.add(piece)) output.write(`${row}\n`);
  }

  /** Prints a line below the text, starting on a new row. */
  function print(line: string): void {
    for (const row of flow.end()) screen.print(row);
    screen.print(line);
  }

  function onEvent(event: Event, run: Run): void {
    session = run;
    if (event.delegationId === run.delegationId) onSessionEvent(event);
    else onNestedEvent(event, run);
  }

  function onNestedEvent(event: Event, conversation: Run): void {
    const id = event.delegationId.split(".").slice(0, 3).join(".");
    const run = runIn(conversation, id);
    if (run === undefined || (!below.has(id) && event.kind !== "delegation-start")) return;
    const rows = below.get(id) ?? createRunRows(paint);
    below.set(id, rows);
    rows.onEvent(event, run);
    const isSaid = event.kind === "stop-request" && OWN_STOPS.includes(event.by);
    if (!isSaid) for (const line of formatEvent(event, run, format)) print(line);
    if (run.endedAt !== undefined) below.delete(id);
  }

  function onSessionEvent(event: Event) {
    if (event.kind === "text-delta" && typed !== undefined) write(event.text);
    else if (event.kind === "step-end" || event.kind === "step-fail") for (const row of flow.end()) screen.print(row);
    for (const line of sessionLines(event, deps)) print(line);
  }

  return {
    beginTurn(known) {
      session = known;
      beganAt = clock.now();
      isStopping = false;
      if (!rich) return;
      screen = createScreen({ output, clock, rows: movingRows });
      screen.start();
    },
    onEvent,
    get run() {
      return session;
    },
    delegations: () => [...below.keys()],
    print,
    ...(rich && { openQuestion: questions.open }),
    stopping() {
      isStopping = true;
    },
    pause: () => (rich ? screen : lines).pause(),
    resume: () => (rich ? screen : lines).resume(),
    endTurn() {
      for (const row of flow.end()) screen.print(row);
      screen.pause();
      screen = idleScreen();
      below.clear();
    },
  };
}

/** What is being typed for the next message. */
function typedRow(line: string, columns: number, paint: Paint): ScreenRow {
  const text = `> ${fitEnd(oneLine(line), columns - 3)}`;
  return { text: `${paint("bold", ">")}${text.slice(1)}`, width: displayWidth(text) };
}

/** The lines for an event of the conversation itself. Delegations have their own lines. */
function sessionLines(event: Event, { paint, verbose, asksHere, typed }: ChatViewDeps): string[] {
  if (event.kind === "delegation-start")
    return event.warnings.map(({ message }) => paint("yellow", `! ${oneLine(message)}`));
  if (event.kind === "tool-end") return toolLines(event, paint);
  if (event.kind === "child-end" || event.kind === "message-add") return [];
  if (event.kind === "stop-request" && typed !== undefined) return []; // The end of the turn says it.
  const remark = noteOn(event, { verbose, asksHere });
  if (remark === undefined) return [];
  return [paint(remark.sign === "!" ? "yellow" : "dim", `${remark.sign} ${oneLine(remark.text)}`)];
}

function toolLines(event: Extract<ChildEvent, { kind: "tool-end" }>, paint: Paint): string[] {
  const { name, ok, text, durationMs } = event;
  if (ok && name === "delegate_task") return [];
  const what = oneLine(callInWords(event));
  if (ok) {
    const output = lastOutput(event).map((line) => paint("dim", `  ${line}`));
    return [paint("dim", `· ${what} (${formatDuration(durationMs / 1000)})`), ...output];
  }
  return [`${paint("red", "✗")} ${what} ${paint("dim", fit(oneLine(text), 300))}`];
}

/** `4.7s · glm-4.7 @ zai · $0.0012`: a turn's duration and route, and the conversation's cost so far. */
export function turnTotals(run: Run, tookMs: number): string {
  const tally = run.children[0]?.tally;
  if (tally === undefined || !("route" in tally.planned)) return "";
  const cost = costOf(tally);
  return [
    formatDuration(tookMs / 1000),
    oneLine(formatRoute(routeAt(tally.planned, tally.position))),
    cost.usd === null ? formatCost(cost) : `${formatCost(cost)} so far`,
  ].join(" · ");
}
