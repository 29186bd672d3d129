/** Runs one child: in a slot, within its time limit and budgets, and always to a recorded end. */
import type { ChildDeps, ChildInput, LimitLeft, StopReason } from "../../child/child.ts";
import { runChild } from "../../child/loop.ts";
import { backgroundIdIn, type CommandExecutor, type CommandShell } from "../../command-executor.ts";
import { DeputyError, type Failure, internalErrorText } from "../../errors.ts";
import type { ChildEvent, Event, StoredEvent } from "../../event.ts";
import type { GivenFile } from "../../given-file.ts";
import type { Image } from "../../image.ts";
import type { Ready } from "../../plan.ts";
import { type Run, type RunChild, spentIn } from "../../run/run.ts";
import type { Skill } from "../../skill.ts";
import type { PinnedTool, Tool } from "../../tool.ts";
import { createRecall } from "../../tools/recall.ts";
import { createCommandExecutor } from "../../tools/terminal/command-executor.ts";
import type { Approvals } from "../control/approvals.ts";
import type { HostApprovals } from "../control/host-approvals.ts";
import { type Budget, createBudget, leftUsd, reserve, tightestUsd } from "../limits/budget.ts";
import { type ChildSlot, createChildSlot } from "../limits/child-slot.ts";
import { createDeadline, type Deadline } from "../limits/deadline.ts";
import { retryPolicy } from "../limits/retry-policy.ts";
import type { Setup } from "../setup/setup.ts";
import { loadGivenFiles } from "../start/given-files.ts";
import { loadImages, loadResultImages, storedImage } from "../start/images.ts";
import { budgetWait, endUnstarted, failedEnd, neverStarted, waitEvent } from "./child-events.ts";
import { earlierResults } from "./earlier-results.ts";
import type { Interrupts } from "./interrupts.ts";
import type { NestedDelegations } from "./nested-delegations.ts";
import type { Prompts, SkillsOf } from "./prompts.ts";
import type { Recorder } from "./recorder.ts";
import type { Services } from "./services.ts";
import { type ChatExtras, toolsOf } from "./toolbox.ts";
import { openWorkplace, type Workplace } from "./workplace.ts";

/** A child that has not ended. `earlierMs`: working time before it was interrupted, which counts. */
export type OpenChild = { child: RunChild; planned: Ready; earlierMs: number };

export type ChildRunnerDeps = {
  services: Services;
  setup: Setup;
  run: Run;
  /** Stored events of children that had started, by child id. */
  past: ReadonlyMap<string, ChildEvent[]>;
  /** The run's own budget, and every enclosing budget. */
  budgets: readonly Budget[];
  prompts: Prompts;
  skillsOf: SkillsOf;
  recorder: Recorder;
  interrupts: Interrupts;
  approvals: Approvals;
  hosts: HostApprovals;
  nested: NestedDelegations;
  chatExtras: ChatExtras | undefined;
};

/** A running child and its resources. */
type ChildAtWork = OpenChild & {
  /** Where it works, from the moment on in which it is known. */
  where: { planned: Ready };
  slot: ChildSlot;
  deadline: Deadline;
  commands: CommandExecutor;
  signal: AbortSignal;
};

/** Never rejects: an error becomes the child's end or, if the journal failed, the run's. */
export async function runOpenChild(deps: ChildRunnerDeps, open: OpenChild): Promise<void> {
  const { interrupts, nested, recorder, run, services } = deps;
  const { delegationId } = run;
  const { childId } = open.child.tally;
  const controller = interrupts.add(childId);
  const where = { planned: open.planned };
  const commands = createCommandExecutor(shellOf(deps, childId, where), backgroundIdsIn(deps.past.get(childId) ?? []));
  const own = { where, commands, signal: controller.signal };
  const child = { ...open, ...slotAndDeadline(deps, open, controller), ...own };
  try {
    await runInSlot(deps, child);
  } catch (error) {
    if (error instanceof DeputyError) recorder.fail(error);
    else {
      // A bug in Deputy ends the child that hit it, and no other.
      const failure = { kind: "internal", message: explainBug(deps, error, childId) } as const;
      const end = failedEnd({ delegationId, childId }, failure, services.clock.now());
      await recorder.record(end).catch(recorder.fail);
    }
  } finally {
    child.deadline.pause();
    child.slot.release();
    // If the child failed midway, its commands and delegations still have to end.
    controller.abort({ status: "interrupted", by: "parent-end" } satisfies StopReason);
    await commands.close();
    await nested.settled(childId);
    interrupts.remove(childId);
  }
}

/** Runs the commands of a child: in its sandbox, or outside. */
function shellOf({ setup, hosts, run }: ChildRunnerDeps, childId: string, where: ChildAtWork["where"]): CommandShell {
  return setup.sandboxing.shellOf(
    () => where.planned,
    (host, port, signal) => {
      const { workspace, realPaths, task } = where.planned;
      const directory = realPaths?.[workspace] ?? workspace;
      const about = { delegationId: run.delegationId, childId, directory, goal: task.goal };
      return hosts.decide(about, host, port, signal);
    },
  );
}

/** Logs a bug in Deputy with its stack, and returns the text to show. */
function explainBug({ services, setup }: ChildRunnerDeps, error: unknown, where: string): string {
  services.logError(where, error);
  return internalErrorText(error, setup.redact);
}

/** Creates the child's slot and its time limit. */
function slotAndDeadline({ services, recorder, run }: ChildRunnerDeps, open: OpenChild, controller: AbortController) {
  const { clock, scheduler } = services;
  const { childId, pausedMs } = open.child.tally;
  const about = { delegationId: run.delegationId, childId };
  const outOfTime = () => controller.abort({ status: "timeout" } satisfies StopReason);
  return {
    slot: createChildSlot(scheduler, clock, (provider, status) => {
      void recorder.record(waitEvent(about, provider, status, clock.now()));
    }),
    deadline: createDeadline(clock, open.planned.limits.timeoutMs, open.earlierMs - pausedMs, outOfTime),
  };
}

/** Waits for a slot, then runs the child where it works. */
async function runInSlot(deps: ChildRunnerDeps, child: ChildAtWork): Promise<void> {
  const { services, setup, run, recorder } = deps;
  const { clock, journal } = services;
  const { planned, slot, signal } = child;
  const { delegationId } = run;
  const about = { delegationId, childId: child.child.tally.childId };
  const hasSlot = await slot.acquire(planned.route.provider, signal);
  if (!hasSlot) return recorder.record(neverStarted(about, signal, clock.now()));
  const images = await loadImages(planned, { delegationId, journal, readImage: setup.readImage });
  if ("failure" in images) return recorder.record(failedEnd(about, images.failure, clock.now()));
  const files = loadGivenFiles(planned, setup);
  if ("failure" in files) return recorder.record(failedEnd(about, files.failure, clock.now()));
  const placing = { services, setup, recorder, delegationId };
  const opened = await openWorkplace(placing, { ...child, tally: child.child.tally }, signal);
  const endOf = (failure: Failure) => endUnstarted(about, failure, signal, clock.now());
  if (!("place" in opened)) return recorder.record(endOf(opened.failure));
  const { place, failure } = opened;
  const record = async (event: StoredEvent) => {
    if (event.kind === "child-end") await saveWork(deps, child, place);
    await recorder.record(event);
  };
  try {
    if (failure !== undefined) await record(endOf(failure));
    else await runPlaced(deps, { ...child, planned: place.planned }, { images, files }, record);
  } catch (error) {
    // A bug in Deputy: what the child has done is kept.
    if (!(error instanceof DeputyError)) await saveWork(deps, child, place);
    throw error;
  } finally {
    await place.leave(child.child.tally.ending);
  }
}

/** Saves a child's work once nothing that it has started can change it. */
async function saveWork(
  { nested }: ChildRunnerDeps,
  { child, commands }: ChildAtWork,
  place: Workplace,
): Promise<void> {
  await nested.settled(child.tally.childId);
  await commands.close();
  await place.save();
}

type Inputs = { images: readonly Image[]; files: readonly GivenFile[] };

/** Runs the child's loop and records every event of it. */
async function runPlaced(
  deps: ChildRunnerDeps,
  child: ChildAtWork,
  { images, files }: Inputs,
  record: (event: StoredEvent) => Promise<void>,
): Promise<void> {
  const { services, setup, run, past, prompts, skillsOf } = deps;
  const { planned, earlierMs, deadline, signal } = child;
  const { childId, taskIndex } = child.child.tally;
  const { delegationId } = run;
  const before = past.get(childId) ?? [];
  const served = await setup.serverTools(planned, pinnedIn(before), signal);
  try {
    deadline.resume();
    const skills = await skillsOf(planned, signal);
    const childDeps = depsOf({ ...deps, skills }, child, served.tools);
    keepContents({ images, files }, planned, childDeps.keep);
    const { prompt, warnings } = await prompts(planned, childDeps.tools, skills, signal);
    const input: ChildInput = {
      ...{ delegationId, childId, taskIndex },
      planned,
      prompt,
      warnings: [...warnings, ...served.warnings],
      images: [...images],
      files: [...files],
      imageBytes: await loadResultImages(before, { delegationId, journal: services.journal }),
      past: before,
      earlierMs,
      ...(served.pinned.length > 0 && { mcpTools: served.pinned }),
    };
    for await (const event of runChild(input, childDeps, signal)) await record(event);
  } finally {
    await served.release();
  }
}

/** The tools of MCP servers that a child was offered when it started; undefined if it has not. */
function pinnedIn(past: readonly ChildEvent[]): readonly PinnedTool[] | undefined {
  const start = past.find((event) => event.kind === "child-start");
  return start && (start.mcpTools ?? []);
}

/** Ids of the commands that a child started in the background before it was interrupted. */
function backgroundIdsIn(past: readonly ChildEvent[]): Set<string> {
  const ids = past.map((event) =>
    event.kind === "tool-end" && event.name === "terminal" ? backgroundIdIn(event.text) : undefined,
  );
  return new Set(ids.filter((id) => id !== undefined));
}

/** Keeps the images and files of a child, from which its requests can be written again. */
function keepContents({ images, files }: Inputs, { images: refs = [] }: Ready, keep: ChildDeps["keep"]): void {
  for (const [index, image] of images.entries()) {
    const ref = refs[index];
    if (ref?.from === "file" && "base64" in image)
      keep({ kind: "image-add", sha256: ref.sha256, base64: image.base64 });
  }
  for (const { sha256, text } of files) keep({ kind: "file-add", sha256, text });
}

/** Dependencies of the loop. The child's clock pauses while it waits for money or for its turn. */
function depsOf(
  deps: ChildRunnerDeps & { skills: readonly Skill[] },
  { child, planned, slot, deadline, commands }: ChildAtWork,
  ofServers: readonly Tool[],
): ChildDeps {
  const { services, setup, approvals, recorder, run } = deps;
  const { clock, model, random, schemas } = services;
  const { delegation } = setup.config;
  const budgets = [...deps.budgets, createBudget(planned.limits.maxCostUsd, spentIn([child]))];
  const about = { delegationId: run.delegationId, childId: child.tally.childId };
  const show = (event: Event) => void recorder.record(event);
  const showWait = (heldUsd: number) => show(budgetWait(about, heldUsd, clock.now()));
  return {
    clock,
    model,
    tools: toolsOf({ ...deps, clock }, { child, planned, budgets }, slot, ofServers),
    recall: createRecall({
      resultsOf: () => earlierResults(services.journal, about),
      imageOf: (sha256) => storedImage(sha256, { journal: services.journal, delegationId: about.delegationId }),
    }),
    commands,
    permissions: { rules: setup.permissions, otherwise: delegation.approvals },
    approve: approvals.approve,
    isWarned: ({ message }) =>
      run.children.some(({ tally }) => tally.warnings.some((warning) => warning.message === message)),
    answerBy: approvals.answerBy,
    steered: () => child.steers.find(({ state }) => state === "queued"),
    lease: setup.lease,
    price: setup.price,
    reserve: (worst, isFinalAnswer, signal) =>
      offTheClock(deadline, () => reserve(budgets, worst, isFinalAnswer, signal, showWait)),
    admit: (provider, tokens, signal) => offTheClock(deadline, () => slot.admit(provider, tokens, signal)),
    budgetUsd: () => tightestUsd(budgets),
    limitsLeft: () => limitsLeft(budgets, deadline, planned.limits.timeoutMs),
    recover: (situation) => retryPolicy(situation, random, delegation.on_quota),
    pause: slot.pause,
    sleepUntil: (until, signal) => offTheClock(deadline, () => slot.sleepUntil(until, signal)),
    show,
    keep: (content) => {
      if (!run.stored.has(content.sha256))
        void recorder.record({ ...content, at: clock.now(), delegationId: run.delegationId });
    },
    schemas,
    explainBug: (error, where) => explainBug(deps, error, where),
    onServedMismatch: delegation.on_served_mismatch,
  };
}

function limitsLeft(budgets: readonly Budget[], deadline: Deadline, timeoutMs: number): LimitLeft[] {
  const cost = leftUsd(budgets);
  const leftMs = deadline.leftMs();
  return [
    ...(cost === undefined ? [] : [{ name: "cost", ...cost } as const]),
    ...(leftMs === undefined ? [] : [{ name: "time", left: leftMs, limit: timeoutMs } as const]),
  ];
}

async function offTheClock<Value>(deadline: Deadline, wait: () => Promise<Value>): Promise<Value> {
  deadline.pause();
  const value = await wait();
  deadline.resume();
  return value;
}
