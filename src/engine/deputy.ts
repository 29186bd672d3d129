/** Deputy as a library: the engine with the setup that most programs want. */
import type { ApplyReport, ChildDiff, Concern } from "../applying.ts";
import { systemClock } from "../clock.ts";
import { readEnvironment } from "../config/environment.ts";
import { DeputyError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { Journal } from "../journal/journal.ts";
import type { DelegationResult } from "../result.ts";
import type { Wish } from "../route.ts";
import { type CallInput, parseCall } from "../task.ts";
import type { PermissionRule } from "../tool.ts";
import { present } from "../values/present.ts";
import { type Chat, type ChatOptions, openChat } from "./chat.ts";
import { createDelegateTool, type DelegateTool } from "./delegate-tool.ts";
import type {
  Answer,
  Answered,
  Asker,
  Delegation,
  Plan,
  Question,
  ResumeOptions,
  RunListing,
  SteerReceipt,
  SubmitOptions,
} from "./engine.ts";
import { type Opened, type OpenOptions, openDeputy } from "./setup/open-deputy.ts";
import type { ShownRequest } from "./shown-request.ts";

export type CreateOptions = Partial<Pick<OpenOptions, "env" | "cwd" | "configPath" | "clock" | "route">> & {
  /** Default: SQLite in the state directory, shared with the command line. */
  journal?: Journal;
  /** Model request that children inherit by default. */
  parent?: Wish;
};

export type DelegateOptions = {
  workspace?: string;
  concurrency?: number;
  maxCostUsd?: number;
  /** If one task cannot start, none does. */
  strict?: boolean;
  /** Use `model` for tasks written by a model: `delegation.allow` and `deny` then apply. Default: `operator`. */
  askedBy?: "operator" | "model";
  /** Rules that take precedence over the config's. */
  permissions?: PermissionRule[];
  /**
   * Decides on children's approval requests. Without it they are denied at once, or wait for `answersFromElsewhere`.
   */
  asker?: Asker;
  /** Approval requests wait for `answer()` or `deputy approve`, from any process. */
  answersFromElsewhere?: boolean;
};

export interface Deputy {
  /** Runs tasks to their end. @throws DeputyError `task-invalid` | `config-invalid` | `nothing-to-run` */
  delegate(tasks: CallInput, options?: DelegateOptions): Promise<DelegationResult>;
  /** Like `delegate`, but returns as soon as the tasks have started. */
  start(tasks: CallInput, options?: DelegateOptions): Promise<Delegation>;
  /** Returns every route and problem without starting anything. */
  plan(tasks: CallInput, options?: DelegateOptions): Promise<Plan>;
  /** `delegate_task` for a model that this program calls; for the AI SDK, use `deputize/ai-sdk`. */
  tool(options?: Omit<DelegateOptions, "askedBy">): Promise<DelegateTool>;
  /** A conversation with an agent that delegates, like `deputy chat`. @throws DeputyError `nothing-to-run` */
  chat(options?: Partial<ChatOptions>): Promise<Chat>;
  /** Continues a run whose process has ended. */
  resume(id: string, options?: ResumeOptions): Promise<Delegation>;
  /**
   * Runs again what an ended run did not complete, as a new run; completed results are carried over.
   * @param options.route replaces the model, provider or effort of every task that runs again
   */
  retry(id: string, options?: DelegateOptions & { route?: Wish }): Promise<Delegation>;
  /**
   * Starts a new run from a step of a child (`ID.n`), on any route: its conversation up to that step's tool results is
   * copied, and costs nothing again. Files are as they are now.
   * @param options.step default: the newest step whose results are all there @param options.goal the next message
   */
  fork(id: string, options?: DelegateOptions & { step?: number; goal?: string; route?: Wish }): Promise<Delegation>;
  stop(id: string, by?: string): Promise<void>;
  /** Sends a message to a child (`ID.n`, or a run with one open child), which receives it with its next request. */
  steer(id: string, text: string, by?: string): Promise<SteerReceipt>;
  /** Resolves with the receipt of a message once its outcome is known. */
  settleSteer(receipt: SteerReceipt, signal?: AbortSignal): Promise<SteerReceipt>;
  /** Pending approval requests of children in any process of this user. */
  questions(): Promise<Question[]>;
  /** Answers an approval request, and returns whether the answer counted. */
  answer(answer: Omit<Answer, "by" | "reason"> & Partial<Pick<Answer, "by" | "reason">>): Promise<Answered>;
  /** The newest runs, newest first; all runs without a number. */
  runs(newest?: number): Promise<RunListing[]>;
  run(id: string): Promise<RunListing>;
  /** Yields a run's events from the first on, from any process, until it ends or no process works on it. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<Event>;
  /**
   * A request that a child (`ID.n`) sent, written again from its events and compared with the hash that was recorded.
   * @param number 1 is its first request @throws DeputyError `run-unknown` | `task-invalid`
   */
  request(id: string, number: number): Promise<ShownRequest>;
  /**
   * The changes on the branches of a run's children, or of one child (`ID.n`). Bytes of a patch that are not UTF-8 are
   * replaced. @throws DeputyError `run-unknown` | `branch-unavailable`
   */
  diff(id: string): Promise<{ delegation_id: string; children: (ChildDiff & { patch: string })[] }>;
  /**
   * Applies the work of a run's completed children, in task order, or of one child (`ID.n`): as uncommitted changes of the
   * working tree, unless the options say otherwise. It stops at the first child that does not fit.
   * @throws DeputyError `run-unknown` | `branch-unavailable`: nothing is changed then
   */
  apply(id: string, options?: ApplyWork): Promise<ApplyReport & { patch?: string }>;
  /** Stops the runs of this process and releases all resources. */
  close(): Promise<void>;
}

/** How the work of children is applied. */
export type ApplyWork = {
  /** Makes this branch of HEAD with it; no file changes. */
  branch?: string;
  /** Returns it as a patch that fits the working tree; no file changes. */
  patch?: boolean;
  /** Changes nothing. */
  dryRun?: boolean;
  /** A directory in the working tree. Default: `cwd`, if its repository has the branches; else where the run started. */
  directory?: string;
  /** Decides on what takes effect by itself, such as hooks and CI. Without it, such changes are not applied. */
  confirm?: (concerns: readonly Concern[]) => boolean | Promise<boolean>;
};

/** Opens Deputy for this program. Files and connections are opened on first use. */
export function createDeputy(options: CreateOptions = {}): Deputy {
  const { env = readEnvironment(), cwd = process.cwd(), parent, ...rest } = options;
  let opening: Promise<Opened> | undefined;
  let isClosed = false;
  const open = () => {
    if (isClosed)
      return Promise.reject(new DeputyError("usage", "This Deputy is closed. Create another one with createDeputy()."));
    opening ??= openDeputy({ env, cwd, ...rest });
    return opening;
  };

  async function prepare(tasks: CallInput, { workspace = cwd, ...more }: DelegateOptions = {}) {
    const { engine, loadConfig } = await open();
    const call = parseCall(tasks, loadConfig().config.delegation.max_tasks_per_call);
    const submitOptions: SubmitOptions = { surface: "library", workspace, ...present({ parent }), ...more };
    return { engine, call, submitOptions };
  }

  async function start(tasks: CallInput, delegateOptions?: DelegateOptions): Promise<Delegation> {
    const { engine, call, submitOptions } = await prepare(tasks, delegateOptions);
    return engine.submit(call, submitOptions);
  }

  return {
    start,
    delegate: async (tasks, delegateOptions) => (await start(tasks, delegateOptions)).result,
    async plan(tasks, delegateOptions) {
      const { engine, call, submitOptions } = await prepare(tasks, delegateOptions);
      return engine.plan(call, submitOptions);
    },
    async tool({ workspace = cwd, ...more } = {}) {
      const opened = await open();
      const submitOptions: SubmitOptions = { surface: "library", workspace, ...present({ parent }), ...more };
      return createDelegateTool(opened, rest.clock ?? systemClock, submitOptions);
    },
    chat: async (chatOptions = {}) =>
      openChat((await open()).engine, { workspace: cwd, ...present({ wish: parent }), ...chatOptions }),
    resume: async (id, resumeOptions = {}) => (await open()).engine.resume(id, resumeOptions),
    retry: async (id, { workspace = cwd, ...more } = {}) =>
      (await open()).engine.retry(id, { surface: "library", workspace, ...more }),
    fork: async (id, { workspace = cwd, ...more } = {}) =>
      (await open()).engine.fork(id, { surface: "library", workspace, ...more }),
    stop: async (id, by = "library") => (await open()).engine.stop(id, by),
    steer: async (id, text, by = "library") => (await open()).engine.steer(id, text, by),
    settleSteer: async (receipt, signal = new AbortController().signal) =>
      (await open()).engine.settleSteer(receipt, signal),
    questions: async () => (await open()).engine.questions(),
    async answer({ by = "library", reason, ...given }) {
      const told = reason ?? `${given.allowed ? "allowed" : "denied"} by ${by}`;
      return (await open()).engine.answer({ ...given, by, reason: told });
    },
    runs: async (newest) => (await open()).engine.runs(newest),
    async run(id) {
      const { run, owner } = await (await open()).engine.run(id);
      return structuredClone({ run, owner }); // A run of this process would change under the program's hands.
    },
    async *watch(id, signal = new AbortController().signal) {
      yield* (await open()).engine.watch(id, signal);
    },
    request: async (id, number) => (await open()).engine.request(id, number),
    async diff(id) {
      const { engine } = await open();
      const { delegation_id, children } = await engine.diff(id);
      const patches = await Promise.all(children.map((child) => engine.patch(child, false)));
      const withPatch = (child: ChildDiff, index: number) => ({ ...child, patch: String(patches[index] ?? "") });
      return { delegation_id, children: children.map(withPatch) };
    },
    async apply(id, { branch, patch: asPatch = false, dryRun, directory = cwd, confirm } = {}) {
      if (branch !== undefined && asPatch) throw new DeputyError("usage", "Expected a branch or a patch, found both.");
      const target =
        branch === undefined
          ? ({ kind: asPatch ? "patch" : "tree" } as const)
          : ({ kind: "branch", name: branch } as const);
      const options = { target, directory, by: "library", ...present({ isDryRun: dryRun }) };
      const ask = confirm && (async (concerns: readonly Concern[]) => confirm(concerns));
      const { report, patch } = await (await open()).engine.apply(id, { ...options, ...present({ confirm: ask }) });
      return asPatch ? { ...report, patch: patch.toString("utf8") } : report;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (opening !== undefined) await (await opening).engine.close();
    },
  };
}
