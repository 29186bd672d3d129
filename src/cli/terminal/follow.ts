/**
 * Follows a delegation to its end on the command line: shows it, writes the requested output, handles Ctrl-C, and
 * determines the exit code. `run`, `resume`, `watch` and `demo` differ only in how they start.
 */
import type { Asker, LiveDelegation } from "../../engine/engine.ts";
import { errorCode, errorMessage } from "../../errors.ts";
import { type Event, isStored } from "../../event.ts";
import { type DelegationResult, type Result, resultOf, routeAt } from "../../result.ts";
import {
  hasEnded,
  isRejected,
  parseRunId,
  type Run,
  type RunUpdate,
  resultsAtFailure,
  resultsOf,
  runIn,
} from "../../run/run.ts";
import { jsonDocument, jsonLine } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { createRuleSaver } from "../approvals/save-rule.ts";
import { approvalPromptOn } from "../approvals/terminal-prompt.ts";
import { EXIT_COMPLETED, EXIT_INTERRUPTED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { createPaint, type Io, isRichTerminal, type Output } from "../io.ts";
import type { LineFormat } from "./event-lines.ts";
import { formatAnswers, formatAnswersAlone, resultStyleOn } from "./final-answers.ts";
import { formatRoute } from "./format.ts";
import { createLines } from "./lines.ts";
import { createNotifier, type NotifyConfig } from "./notification.ts";
import { openOutputFolder } from "./output-folder.ts";
import { createRunKeyboard, type RunKeyboard } from "./run-keyboard.ts";
import { formatSummary } from "./run-summary.ts";
import { type CtrlC, createTree } from "./tree.ts";
import { screenOf, type UserTerminal, userTerminal } from "./user-terminal.ts";
import type { View } from "./view.ts";
import { columnsOf, wrapFor } from "./word-wrap.ts";

export type FollowFlags = {
  /** Writes only the `DelegationResult` to stdout. */
  json?: true;
  /** Writes every stored event as it happens, then the result, one per line, to stdout. */
  ndjson?: true;
  /** An absolute directory for the results. */
  output?: string;
  verbose?: true;
  /** Writes only the answers to a terminal's stdout, everything else to stderr; a pipe never gets more. */
  quiet?: true;
  /** The config that was named, in which rules are saved. */
  config?: string;
  /** The journal is deleted when the program ends: nothing can be shown or resumed later. */
  ephemeral?: true;
  /** The run belongs to another process: Ctrl-C ends only the watching, and approvals are not asked for here. */
  readOnly?: true;
};

/** A delegation of this process, or another process's run presented as one. */
export type FollowedDelegation = Pick<LiveDelegation, "id" | "follow" | "result" | "stop">;

/** The exit code, and the result if there is one. */
export type FollowOutcome = { code: number; result: DelegationResult | undefined };

export interface Follower {
  /** Absent without a user at the terminal. */
  readonly asker: Asker | undefined;
  /** Where everything but the answers goes: stderr, unless stdout is a terminal that shows all. */
  readonly output: Output;
  /**
   * Shows the run to its end. Rejects with the error that broke the run, after printing everything that was finished.
   * @param past the run so far, if it does not begin now
   */
  follow(delegation: FollowedDelegation, past?: Run): Promise<FollowOutcome>;
}

/** @throws DeputyError `output-unwritable`, before anything has started */
export async function createFollower(
  io: Io,
  flags: FollowFlags & { notify: NotifyConfig },
  taskCount: number,
): Promise<Follower> {
  const forPrograms = flags.json === true || flags.ndjson === true;
  const answersOnly = flags.quiet === true || io.stdout.isTTY !== true;
  const output = forPrograms || answersOnly ? io.stderr : io.stdout;
  const user = userTerminal(io, output);
  const notifier = createNotifier(screenOf(io, output), io.env, flags.notify);
  const keyboard = user && keyboardFor(user, output);
  const view = createView(output, io, {
    verbose: flags.verbose === true,
    asksHere: user !== undefined && !flags.readOnly,
    ctrlC: flags.readOnly ? "leaves" : "stops",
    keyboard,
  });
  const folder = flags.output === undefined ? undefined : await openOutputFolder(flags.output, taskCount);
  let run: Run | undefined;

  async function follow(delegation: FollowedDelegation, past?: Run): Promise<FollowOutcome> {
    run = past;
    const beganAt = io.clock.elapsed();
    const interrupts = (flags.readOnly ? listenToLeave : listen)(io, delegation, view, flags.ephemeral);
    const writes: Promise<boolean>[] = [];
    const write = (result: Result) => {
      if (folder !== undefined) writes.push(writeResult(result));
    };
    try {
      for (const child of past?.children.filter(hasEnded) ?? []) write(resultOf(child.tally));
      const finished = delegation.follow((update) => show(update, write)).then(() => delegation.result);
      const result = await Promise.race([finished, interrupts.now]);
      const written = await Promise.all(writes);
      if (result === undefined && flags.readOnly) return { code: EXIT_INTERRUPTED, result };
      const isOver = run?.endedAt !== undefined;
      if (!isOver && result !== undefined) view.print(abandoned(delegation.id));
      const told = result ?? partial();
      report(told, past);
      if (isOver && run !== undefined && !interrupts.heard()) notifier.ended(run, io.clock.elapsed() - beganAt);
      const code = result && exitCode(result, { isOver, interrupted: interrupts.heard(), written });
      return { code: code ?? EXIT_INTERRUPTED, result: told };
    } catch (error) {
      const failure = { code: errorCode(error) ?? "internal", message: errorMessage(error) };
      report(run && resultsAtFailure(run, failure), past);
      throw error;
    } finally {
      view.end();
      interrupts.stop();
    }
  }

  function show(update: RunUpdate, write: (result: Result) => void): void {
    const { event } = update;
    run = update.run;
    view.onEvent(event, run);
    if (flags.ndjson && isStored(event)) io.stdout.write(jsonLine(event));
    for (const result of endedBy(event, run)) write(result);
  }

  async function writeResult(result: Result): Promise<boolean> {
    try {
      await folder?.write(result, run?.call.tasks[result.task_index]?.goal ?? "");
      return true;
    } catch (error) {
      view.print(`! Could not write the result of ${result.child_id}: ${errorMessage(error)}. It is printed last.`);
      return false;
    }
  }

  function partial(): DelegationResult | undefined {
    return run && resultsOf(run);
  }

  function report(result: DelegationResult | undefined, past: Run | undefined): void {
    view.end();
    if (run === undefined || result === undefined) return;
    if (flags.json) io.stdout.write(jsonDocument(result));
    else if (flags.ndjson) io.stdout.write(jsonLine({ kind: "result", ...result }));
    else if (answersOnly) {
      // The summary is first: once `less` has the answers, the screen is its own.
      const more = { ephemeral: flags.ephemeral, isFirst: run === past, columns: columnsOf(output) };
      output.write(wrapFor(output, formatSummary(run, result, createPaint(output, io.env), more), ""));
      io.stdout.write(formatAnswersAlone(run, result, resultStyleOn(io.stdout, io.env)));
    } else io.stdout.write(formatAnswers(run, result, resultStyleOn(io.stdout, io.env), flags.ephemeral));
  }

  const saver = createRuleSaver({ env: io.env, cwd: io.cwd, ...present({ explicitPath: flags.config }) });
  const asker =
    user === undefined || flags.readOnly
      ? undefined
      : approvalPromptOn(user, { view, notifier, keyboard, saver }, (childId) => routeOf(run, childId));
  return { asker, output, follow };
}

/** The keyboard of a run that is drawn here, unless its process is in the background. */
function keyboardFor(user: UserTerminal, output: Output): RunKeyboard | undefined {
  const { io } = user;
  if (!isRichTerminal(output, io.env) || io.isForeground?.() === false) return undefined;
  return createRunKeyboard(user);
}

type ViewOptions = Pick<LineFormat, "verbose" | "asksHere"> & {
  ctrlC: CtrlC;
  keyboard: RunKeyboard | undefined;
};

function createView(output: Output, io: Io, { ctrlC, keyboard, ...how }: ViewOptions): View {
  const paint = createPaint(output, io.env);
  if (isRichTerminal(output, io.env)) return createTree({ output, paint, clock: io.clock, ctrlC, keyboard, ...how });
  return createLines({ output, paint, ...how });
}

/** Route of a child, for display. */
export function routeOf(run: Run | undefined, childId: string): string {
  const { delegationId, taskIndex = -1 } = parseRunId(childId);
  const tally = run && runIn(run, delegationId)?.children[taskIndex]?.tally;
  if (tally === undefined || !("route" in tally.planned)) return "route unknown";
  return formatRoute(routeAt(tally.planned, tally.position));
}

/** Results that an event makes final: its child's or, at the start, those of rejected tasks. */
function endedBy(event: Event, run: Run): Result[] {
  if (event.delegationId !== run.delegationId) return [];
  if (event.kind === "delegation-start") return run.children.filter(isRejected).map((child) => resultOf(child.tally));
  if (event.kind === "delegation-resume") {
    const left = run.children.filter(({ tally }) => event.blocked?.[tally.childId] !== undefined);
    return left.map((child) => resultOf(child.tally));
  }
  if (event.kind !== "child-end") return [];
  const child = run.children[parseRunId(event.childId).taskIndex ?? -1];
  return child === undefined ? [] : [resultOf(child.tally)];
}

/** The first Ctrl-C stops the run and waits for partial results; the second (`now`) does not wait. */
function listen(io: Io, delegation: FollowedDelegation, view: View, ephemeral: true | undefined) {
  const later = ephemeral ? "" : `; deputy resume ${delegation.id} continues`;
  const { promise: now, resolve: leave } = Promise.withResolvers<undefined>();
  let count = 0;
  const stop = io.onInterrupt((by) => {
    count += 1;
    if (count > 1) return leave(undefined);
    delegation.stop(by).catch((error: Error) => view.print(`! Cannot stop it cleanly: ${error.message}`));
    view.print(`! Stopping; finished work is kept. Press Ctrl-C again to exit now${later}.`);
  });
  return { now, stop, heard: () => count > 0 };
}

/** Ctrl-C of a read-only watcher does not affect the run. */
function listenToLeave(io: Io, { id }: FollowedDelegation, view: View) {
  const { promise: now, resolve: leave } = Promise.withResolvers<undefined>();
  const stop = io.onInterrupt(() => {
    view.print(`Stopped watching; run ${id} continues. Watch it again: deputy watch ${id}`);
    leave(undefined);
  });
  return { now, stop, heard: () => false };
}

function abandoned(id: string): string {
  return `! Run ${id} was abandoned: its process exited before the run finished. Continue it: deputy resume ${id}`;
}

type ExitFacts = { isOver: boolean; interrupted: boolean; written: boolean[] };

function exitCode(result: DelegationResult, { isOver, interrupted, written }: ExitFacts) {
  const completed = isOver && result.results.every((child) => child.status === "completed");
  if (!completed && interrupted) return EXIT_INTERRUPTED;
  return completed && written.every(Boolean) ? EXIT_COMPLETED : EXIT_NOT_COMPLETED;
}
