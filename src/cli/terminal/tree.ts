/**
 * A run on a terminal. Past events stay as lines (`event-lines.ts`); below them the running children are redrawn in
 * place. A child's spinner turns when something arrives from it, so a still one means silence.
 */
import type { Clock } from "../../clock.ts";
import type { Event } from "../../event.ts";
import { doneInWords } from "../../report.ts";
import { costIn, routeAt } from "../../result.ts";
import { allChildren, endingsIn, hasEnded, type Run, type RunChild } from "../../run/run.ts";
import { todoInShort } from "../../todo.ts";
import type { Key } from "../chat/keyboard/keyboard.ts";
import type { Output, Paint } from "../io.ts";
import { type ChildView, createChildView } from "./child-view.ts";
import { formatEvent, goalIn, type LineFormat, taskPosition } from "./event-lines.ts";
import { formatDuration, formatRoute, formatTotalCost } from "./format.ts";
import { createQuestionRows } from "./live-question.ts";
import type { RunKeyboard } from "./run-keyboard.ts";
import { createScreen, type ScreenRow, type Size, sizeOf } from "./screen.ts";
import { displayWidth, fit, fitEnd, oneLine } from "./terminal-text.ts";
import type { View } from "./view.ts";

const SPINNER = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
/** Characters kept of a child's text, to show its end. */
const TAIL_LENGTH = 400;

/** Display state of a child: how many events it had, and the end of its current text. */
type ChildSpinner = { ticks: number; tail: string };

export type CtrlC = "stops" | "leaves";

export type TreeDeps = { output: Output; clock: Clock; ctrlC?: CtrlC; keyboard?: RunKeyboard | undefined } & Omit<
  LineFormat,
  "columns"
>;

export function createTree(deps: TreeDeps): View {
  const { output, paint, clock, keyboard } = deps;
  const format = { ...deps, columns: () => sizeOf(output).columns };
  const moving = createRunRows(paint, deps.ctrlC, keyboard === undefined ? undefined : createChildView());
  const screen = createScreen({ output, clock, rows });
  const questions = createQuestionRows({
    paint,
    size: () => sizeOf(output),
    run: () => moving.run,
    print: screen.print,
    redraw: screen.resume,
  });
  keyboard?.onKey((key) => (key === "suspend" ? screen.release() : moving.onKey(key)));

  function rows(size: Size): ScreenRow[] {
    const asked = questions.rows(size);
    return [...moving.rows({ ...size, rows: size.rows - asked.length }, clock.now()), ...asked];
  }

  return {
    onEvent(event, run) {
      moving.onEvent(event, run);
      for (const line of formatEvent(event, run, format)) screen.print(line);
      keyboard?.start();
      screen.start();
    },
    print: screen.print,
    ...(keyboard && { openQuestion: questions.open }),
    pause: screen.pause,
    resume: screen.resume,
    end() {
      screen.pause();
      keyboard?.close();
    },
  };
}

/** The transient rows of one run: the state of its open children. */
export type RunRows = {
  onEvent(event: Event, run: Run): void;
  onKey(key: Exclude<Key, "suspend">): void;
  /** The run as of the last event. */
  readonly run: Run | undefined;
  /** Returns at most as many rows as `size` has. */
  rows(size: Size, now: number): ScreenRow[];
};

/**
 * @param ctrlC effect of Ctrl-C, shown in the last row
 * @param view where keys choose a child to look at
 */
export function createRunRows(paint: Paint, ctrlC: CtrlC = "stops", view?: ChildView): RunRows {
  const spinners = new Map<string, ChildSpinner>();
  let run: Run | undefined;
  return {
    onEvent(event, folded) {
      run = folded;
      updateSpinner(spinners, event);
      view?.onEvent(event);
    },
    onKey(key) {
      if (run !== undefined)
        view?.onKey(
          key,
          startedIn(run).map(({ child }) => child.tally.childId),
        );
    },
    get run() {
      return run;
    },
    rows: (size, now) => (run === undefined ? [] : renderRows(run, { spinners, paint, size, now, ctrlC, view })),
  };
}

function updateSpinner(spinners: Map<string, ChildSpinner>, event: Event): void {
  if (!("childId" in event)) return;
  if (event.kind === "child-end") {
    spinners.delete(event.childId);
    return;
  }
  const childSpinner = spinners.get(event.childId) ?? { ticks: 0, tail: "" };
  childSpinner.ticks += 1;
  if (event.kind === "text-delta") childSpinner.tail = (childSpinner.tail + event.text).slice(-TAIL_LENGTH);
  else if (event.kind !== "reasoning-delta") childSpinner.tail = "";
  spinners.set(event.childId, childSpinner);
}

type RowContext = {
  spinners: Map<string, ChildSpinner>;
  paint: Paint;
  size: Size;
  now: number;
  ctrlC: CtrlC;
  view: ChildView | undefined;
};

/** A child with its run: the root run, or one that a child above it made. */
type ChildInRun = { child: RunChild; run: Run };

/** Every child of a tree, each before the children below it. */
function childrenOf(run: Run): ChildInRun[] {
  return run.children.flatMap((child) => [{ child, run }, ...child.delegations.flatMap(childrenOf)]);
}

/** The open children that have started, which can be stepped into. */
function startedIn(run: Run): ChildInRun[] {
  return childrenOf(run).filter(({ child }) => !hasEnded(child) && child.tally.startedAt !== undefined);
}

/** One child's text and calls, between its row and the totals. */
function openedRows(root: Run, { child, run }: ChildInRun, context: RowContext): ScreenRow[] {
  const { paint, size, view } = context;
  const log = view?.rows(size.columns - 3, size.rows - 4) ?? [];
  const rows = log.map((text) => ({ text: `  ${text}`.trimEnd(), width: displayWidth(text) + 2 }));
  const hint = "Esc returns to the tree";
  return [
    ...childRows(child, run, "", context, false),
    ...rows,
    { text: paint("dim", hint), width: hint.length },
    totals(root, context),
  ];
}

/** The redrawn rows: running children, as many waiting ones as fit, and a line of totals. */
function renderRows(root: Run, context: RowContext): ScreenRow[] {
  const opened = childrenOf(root).find(({ child }) => child.tally.childId === context.view?.opened);
  if (opened !== undefined) return openedRows(root, opened, context);
  const open = childrenOf(root).filter(({ child }) => !hasEnded(child));
  const working = open.filter(({ child }) => child.tally.startedAt !== undefined);
  const waiting = open.filter(({ child }) => child.tally.startedAt === undefined);
  const room = Math.max(1, context.size.rows - 2);
  const detailed = working.length * 2 <= room;
  const rowsOf = (some: ChildInRun[], inDetail: boolean) =>
    some.flatMap(({ child, run }) => childRows(child, run, "  ".repeat(run.depth - root.depth), context, inDetail));
  const workingRows = rowsOf(working.slice(0, room), detailed);
  const waitingRows = rowsOf(waiting.slice(0, Math.max(0, room - workingRows.length)), false);
  return [...workingRows, ...waitingRows, totals(root, context)];
}

function childRows(child: RunChild, run: Run, indent: string, context: RowContext, detailed: boolean): ScreenRow[] {
  const { paint, size, spinners, now } = context;
  const { tally } = child;
  const childSpinner = spinners.get(tally.childId);
  const columns = size.columns - 1;
  const spinner = tally.startedAt === undefined ? "·" : (SPINNER[(childSpinner?.ticks ?? 0) % SPINNER.length] ?? "·");
  const mark = context.view?.chosen === tally.childId ? "›" : spinner;
  const lead = `${indent}${mark} ${taskPosition(tally.taskIndex, run)}`;
  const facts = factsOf(child, now);
  const activity = oneLine(activityOf(child));
  const meta = longestThatFits(detailed ? facts : [activity, ...facts], columns - displayWidth(lead) - 16);
  const goal = goalIn(run, tally.taskIndex, columns - displayWidth(`${lead}   ${meta}`));
  const first = row(columns, [lead, goal, ...(meta === "" ? [] : [` ${meta}`])], ([head = "", title = "", rest = ""]) =>
    [paint("cyan", head), title, paint("dim", rest)].join(" "),
  );
  if (!detailed) return [first];
  const latest = fitEnd(oneLine(childSpinner?.tail || activityOf(child)), columns - 4 - indent.length);
  return [
    first,
    row(columns, [`${indent}  └`, latest], ([branch = "", text = ""]) => paint("dim", `${branch} ${text}`)),
  ];
}

/** The child's current activity, and its place in its own list. */
function activityOf({ activity, todo = [] }: RunChild): string {
  return todo.length === 0 ? activity : `${activity} · ${todoInShort(todo)}`;
}

/** The child's running time and route. */
function factsOf({ tally }: RunChild, now: number): string[] {
  if (tally.startedAt === undefined || !("route" in tally.planned)) return [];
  const { model, provider } = routeAt(tally.planned, tally.position);
  return [wholeSeconds(now - tally.startedAt), oneLine(formatRoute({ model, provider }))];
}

function wholeSeconds(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds}s` : formatDuration(seconds);
}

/** As many of the facts, from the first, as fit the columns. */
function longestThatFits(facts: string[], columns: number): string {
  const count = facts.findLastIndex((_, index) => displayWidth(facts.slice(0, index + 1).join(" · ")) <= columns) + 1;
  return facts.slice(0, count).join(" · ");
}

/** The run's own children, then those that they delegated to. */
function totals(run: Run, context: RowContext): ScreenRow {
  const { paint, size, now } = context;
  const open = run.children.filter((child) => !hasEnded(child));
  const waiting = open.filter(({ tally }) => tally.startedAt === undefined).length;
  const below = allChildren(run).filter((child) => !hasEnded(child)).length - open.length;
  const parts = [
    doneInWords(endingsIn(run), run.children.length),
    `${open.length - waiting} running`,
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
    ...(below > 0 ? [`${below} below them`] : []),
    wholeSeconds(now - run.startedAt),
    costSoFar(run),
    `Ctrl-C ${context.ctrlC}`,
    ...(context.view === undefined || context.view.opened !== undefined ? [] : ["↑↓ Enter steps in"]),
  ];
  return row(size.columns - 1, [longestThatFits(parts, size.columns - 1)], ([text = ""]) => paint("dim", text));
}

function costSoFar(run: Run): string {
  return formatTotalCost(allChildren(run).map(({ tally }) => costIn(tally)));
}

/** Cuts cells to the available columns, then styles them: styles take no room. */
function row(columns: number, cells: string[], paintCells: (cells: string[]) => string): ScreenRow {
  let left = columns;
  const cut = cells.map((cell) => {
    const shown = fit(cell, left);
    left = Math.max(0, left - displayWidth(shown) - 1);
    return shown;
  });
  return { text: paintCells(cut).trimEnd(), width: displayWidth(cut.join(" ")) };
}
