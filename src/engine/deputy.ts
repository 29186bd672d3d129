/** Deputy as a library: the engine with what a program usually wants around it. */
import { systemClock } from "../clock.ts";
import { readEnvironment } from "../config/environment.ts";
import { DeputyError } from "../errors.ts";
import type { Event } from "../event.ts";
import type { Journal } from "../journal/journal.ts";
import { present } from "../present.ts";
import type { DelegationResult } from "../result.ts";
import type { Wish } from "../route.ts";
import { type CallInput, parseCall } from "../task.ts";
import type { PermissionRule } from "../tool.ts";
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

export type CreateOptions = Partial<Pick<OpenOptions, "env" | "cwd" | "configPath" | "clock" | "route">> & {
  /** Default: SQLite in the state directory, shared with the command line. */
  journal?: Journal;
  /** What children inherit where nothing else is said. */
  parent?: Wish;
};

export type DelegateOptions = {
  workspace?: string;
  concurrency?: number;
  maxCostUsd?: number;
  /** One task that cannot start keeps all from starting. */
  strict?: boolean;
  /** `model` where the tasks come from a model: `delegation.allow` and `deny` bind it. Default: `operator`. */
  askedBy?: "operator" | "model";
  /** Rules that go before the config's. */
  permissions?: PermissionRule[];
  /** Answers children's questions. Without it they are denied at once, or wait for `answersFromElsewhere`. */
  asker?: Asker;
  /** Questions wait for `answer()` or `deputy approve`, from any process. */
  answersFromElsewhere?: boolean;
};

export interface Deputy {
  /** Runs tasks to their end. @throws DeputyError `task-invalid` | `config-invalid` | `nothing-to-run` */
  delegate(tasks: CallInput, options?: DelegateOptions): Promise<DelegationResult>;
  /** The same, and returns as soon as they have started. */
  start(tasks: CallInput, options?: DelegateOptions): Promise<Delegation>;
  /** Every route and problem; nothing starts. */
  plan(tasks: CallInput, options?: DelegateOptions): Promise<Plan>;
  /** `delegate_task` for a model of this program's own; for the AI SDK there is `deputize/ai-sdk`. */
  tool(options?: Omit<DelegateOptions, "askedBy">): Promise<DelegateTool>;
  /** A conversation with an agent that delegates, as `deputy chat` has it. @throws DeputyError `nothing-to-run` */
  chat(options?: Partial<ChatOptions>): Promise<Chat>;
  /** Goes on with a run whose process has ended. */
  resume(id: string, options?: ResumeOptions): Promise<Delegation>;
  stop(id: string, by?: string): Promise<void>;
  /** Says something to a child (`ID.n`, or a run with one open child): it goes with the child's next request. */
  steer(id: string, text: string, by?: string): Promise<SteerReceipt>;
  /** What became of a message, once that is known. */
  settleSteer(receipt: SteerReceipt, signal?: AbortSignal): Promise<SteerReceipt>;
  /** What children wait to be allowed, in any process of this user. */
  questions(): Promise<Question[]>;
  /** Answers one of them, and tells whether the answer counted. */
  answer(answer: Omit<Answer, "by" | "reason"> & Partial<Pick<Answer, "by" | "reason">>): Promise<Answered>;
  /** The newest runs first; all where no number is given. */
  runs(newest?: number): Promise<RunListing[]>;
  run(id: string): Promise<RunListing>;
  /** A run's events from the first on, in whatever process it runs, until it ends or nobody works on it any more. */
  watch(id: string, signal?: AbortSignal): AsyncIterable<Event>;
  /** Stops what runs here and lets go of everything. */
  close(): Promise<void>;
}

/** Opens Deputy for this program. Files and connections are opened with the first use. */
export function createDeputy(options: CreateOptions = {}): Deputy {
  const { env = readEnvironment(), cwd = process.cwd(), parent, ...rest } = options;
  let opening: Promise<Opened> | undefined;
  let isClosed = false;
  const open = () => {
    if (isClosed)
      return Promise.reject(new DeputyError("usage", "This Deputy was closed: createDeputy() makes another."));
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
    run: async (id) => (await open()).engine.run(id),
    async *watch(id, signal = new AbortController().signal) {
      yield* (await open()).engine.watch(id, signal);
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      if (opening !== undefined) await (await opening).engine.close();
    },
  };
}
