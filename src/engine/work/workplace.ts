/**
 * Where a child works: in its workspace or, if it is isolated, in a working copy of its own. Such a copy is there before
 * the child starts. Its work is saved on its branch before the child's end is recorded, however it ends, and the copy is
 * removed once nothing needs it any more.
 */
import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import type { CommandExecutor } from "../../command-executor.ts";
import { DeputyError, errorMessage, type Failure } from "../../errors.ts";
import type { Ending } from "../../event.ts";
import type { Ready } from "../../plan.ts";
import type { ChildStats } from "../../result.ts";
import { shortLine } from "../../text/short-line.ts";
import { createCommandOutput } from "../../tools/terminal/command-output.ts";
import { UNATTENDED } from "../../tools/terminal/unattended.ts";
import { isWithin } from "../../values/path-within.ts";
import type { WorkCopy } from "../../worktree/copy-record.ts";
import type { Setup } from "../setup/setup.ts";
import type { Recorder } from "./recorder.ts";
import type { Services } from "./services.ts";

export type Workplace = {
  /** The plan of the child, as it applies where it works. */
  planned: Ready;
  /** Saves the child's work, once nothing of it runs any more. Never rejects, unless the journal fails. */
  save(): Promise<void>;
  /** Removes what the child no longer needs. Never rejects. */
  leave(ending: Ending | undefined): Promise<void>;
};

export type WorkplaceDeps = {
  services: Pick<Services, "clock" | "worktrees" | "logError">;
  setup: Pick<Setup, "commandEnvironment" | "redact" | "sandboxing">;
  recorder: Recorder;
  delegationId: string;
};

export type ChildToPlace = {
  planned: Ready;
  tally: ChildStats;
  commands: CommandExecutor;
  /** Where its commands run. */
  where: { planned: Ready };
};

/** Makes the child's copy, or finds it again, and sets it up. */
export async function openWorkplace(
  deps: WorkplaceDeps,
  child: ChildToPlace,
  signal: AbortSignal,
): Promise<{ place: Workplace; failure?: Failure } | { failure: Failure }> {
  const { planned } = child;
  if (planned.worktree === undefined) return { place: { planned, save: async () => {}, leave: async () => {} } };
  let copy: WorkCopy;
  let place: Workplace;
  try {
    copy = await openCopy(deps, child, signal);
    place = placeIn(deps, child, copy);
  } catch (error) {
    if (error instanceof DeputyError) throw error;
    return { failure: failureOf(`Its working copy could not be made: ${errorMessage(error)}`) };
  }
  child.where.planned = place.planned;
  const failed = copy.isSetUp ? undefined : await setUp(deps, child, copy, signal);
  return failed === undefined ? { place } : { place, failure: failed };
}

function failureOf(message: string): Failure {
  return { kind: "setup-failed", message };
}

async function openCopy(
  { services, recorder, delegationId }: WorkplaceDeps,
  { planned, tally }: ChildToPlace,
  signal: AbortSignal,
): Promise<WorkCopy> {
  const { clock, worktrees } = services;
  const { childId, worktree: before } = tally;
  if (planned.worktree === undefined) throw new Error(`${childId}: a child without a copy`);
  const { copy, facts, notes } = await worktrees.open({ childId, plan: planned.worktree, saved: before }, signal);
  const about = { at: clock.now(), delegationId, childId };
  await recorder.record({ kind: "worktree-add", ...about, ...facts });
  const lost = before !== undefined && facts.resumed === "branch" ? [goneNote(facts.path, facts.branch)] : [];
  for (const message of [...lost, ...notes])
    await recorder.record({ kind: "child-warn", ...about, warning: { code: "worktree-note", message } });
  return copy;
}

function goneNote(path: string, branch: string): string {
  return `Its working copy at ${path} was gone. It was made again from ${branch}, without what git ignores.`;
}

/** Longest run of `isolation_setup`, and the end of its output in a failure. */
const SETUP_MS = 30 * 60_000;
const SHOWN_OUTPUT = 2_000;

/**
 * Runs the operator's command in a new copy. Returns why it failed, if it did. It runs in the child's sandbox: a model may
 * have written what it executes, on the branch that the copy starts from.
 */
async function setUp(
  { services, setup }: WorkplaceDeps,
  { planned, commands }: ChildToPlace,
  copy: WorkCopy,
  signal: AbortSignal,
): Promise<Failure | undefined> {
  const command = planned.worktree?.setup;
  if (command !== undefined) {
    const output = createCommandOutput();
    const environment = { ...setup.commandEnvironment(), ...UNATTENDED };
    const support = setup.sandboxing.support();
    const inside = support !== undefined && "program" in support && { sandbox: { reads: [] } };
    const order = { command, cwd: copy.tree, environment, timeoutMs: SETUP_MS, onOutput: output.write, ...inside };
    const end = await commands.run(order, signal).catch((error: unknown) => ({ exitCode: errorMessage(error) }));
    if (end.exitCode !== 0) {
      const how =
        "stopped" in end && end.stopped !== undefined ? `it was stopped (${end.stopped})` : `exit code ${end.exitCode}`;
      const said = setup.redact(output.text()).trim().slice(-SHOWN_OUTPUT);
      return failureOf(`isolation_setup failed in ${copy.tree}: ${how}: ${command}${said === "" ? "" : `\n${said}`}`);
    }
  }
  services.worktrees.markSetUp(copy);
  return undefined;
}

function placeIn(deps: WorkplaceDeps, child: ChildToPlace, copy: WorkCopy): Workplace {
  const { services, recorder, delegationId } = deps;
  const { clock, worktrees, logError } = services;
  const { childId } = copy;
  let isSaved = false;

  async function save(): Promise<void> {
    const message = saveMessage(childId, child.planned.task.goal);
    const outcome = await worktrees.save(copy, message).catch((error: unknown) => {
      logError(childId, error);
      return { error: errorMessage(error) };
    });
    const about = { at: clock.now(), delegationId, childId };
    await recorder.record({ kind: "worktree-save", ...about, ...outcome });
    const [dependent] = worktrees.dependents(copy);
    const unsaved = "error" in outcome ? `its work could not be saved: ${outcome.error}` : outcome.unsaved?.join("; ");
    const kept = unsaved ?? (dependent && `the copy of ${dependent} needs it`);
    isSaved = kept === undefined;
    if (kept === undefined) return;
    const note = `Its working copy is kept at ${copy.tree}, because ${kept}.`;
    await recorder.record({ kind: "child-warn", ...about, warning: { code: "worktree-kept", message: note } });
  }

  /** A child that a resume can continue keeps its copy. */
  async function leave(ending: Ending | undefined): Promise<void> {
    if (!isSaved || ending === undefined || ending.status === "interrupted") return;
    await worktrees.remove(copy).catch((error: unknown) => logError(childId, error));
  }

  return { planned: placed(child.planned, copy), save, leave };
}

/** Message of the commit with what a child has not committed itself. */
export function saveMessage(childId: string, goal: string | undefined): string {
  const subject = goal === undefined ? `Work of ${childId}` : shortLine(goal);
  return `${subject}\n\nWork of ${childId}, saved by Deputy.\n`;
}

/** The plan of a child, as it applies in its copy: the same directory there, with the same rules. */
function placed(planned: Ready, { tree, folder, repository, subdirectory }: WorkCopy): Ready {
  const workspace = join(tree, subdirectory);
  mkdirSync(workspace, { recursive: true });
  const real = realpathSync.native(workspace);
  if (!isWithin(realpathSync.native(tree), real)) throw new Error(`${workspace} leads out of it`);
  const { enclosing = [], realPaths = {} } = planned;
  const around = enclosing.flatMap((directory) => {
    if (isWithin(repository, directory)) return [join(tree, relative(repository, directory)), directory];
    return directory === dirname(repository) ? [folder, directory] : [directory];
  });
  return {
    ...planned,
    workspace,
    realPaths: { ...realPaths, [workspace]: real },
    enclosing: [...new Set([planned.workspace, ...around])],
    copy: tree,
  };
}
