/**
 * Everything that happens, as facts in one union; results, live lines, dashboards and resume are folds over it. An
 * event is named noun-verb, carries its time and subject, and never contains a secret.
 */
import type { ApplyTarget } from "./applying.ts";
import type { SiblingConflict } from "./conflict.ts";
import type { Failure, Warning } from "./errors.ts";
import type { StoredImage } from "./image.ts";
import type { SavedWork, WorktreeFacts } from "./isolation.ts";
import type { Planned } from "./plan.ts";
import type { Route, Wish } from "./route.ts";
import type { Call } from "./task.ts";
import type { TodoItem } from "./todo.ts";
import type { LinesChanged, PinnedTool, SeenFile, ToolEffect } from "./tool.ts";

/** A part of a model's response, kept as its provider sent it so that it can be sent back. */
export type Part =
  /** `message`: one of several messages of the same answer, and whether it is the answer or a comment on the way to it. */
  | { type: "text"; text: string; message?: "answer" | "commentary"; private?: ProviderPrivate }
  | { type: "reasoning"; text: string; private?: ProviderPrivate }
  | { type: "tool-call"; callId: string; name: string; input: unknown; private?: ProviderPrivate };

/** Provider-specific data such as signatures: sent back to the model that made it, and to no other. */
export type ProviderPrivate = Record<string, Record<string, unknown>>;

/**
 * Tokens of one request, as counted by the provider: the input including what was read from its cache (`cached`) and written
 * to it (`cacheWrite`; absent = nothing), the output with its reasoning.
 */
export type Usage = { input: number; output: number; cached: number; reasoning: number; cacheWrite?: number };

/**
 * Usage and changed files of a delegation. `unpriced` and `uncertain` count requests whose cost is unknown, or not
 * certain. `uncertainUsd` is what budgets reserved for those; absent = nothing.
 */
export type NestedUsage = {
  delegationId: string;
  apiCalls: number;
  tokens: Usage;
  costUsd: number;
  unpriced: number;
  uncertain: number;
  uncertainUsd?: number;
  /** Relative to the workspace of the child that made the delegation. */
  filesChanged: string[];
};

/** The finish reason of a step's answer, with one vocabulary for all wire formats. */
export type Finish = "stop" | "tool-calls" | "length" | "refused";

/**
 * The reaction to a failed request: decided by `engine/limits/retry-policy.ts` and recorded with the failure.
 * `next-key` sends the same request at once with another key of the pool; it does not count as a try.
 */
export type Recovery =
  | { action: "next-key" }
  | { action: "retry"; delayMs: number }
  /** The quota is exhausted for `delayMs` after the failure. */
  | { action: "pause"; delayMs: number }
  | { action: "fallback" }
  /** The answer to the child's tool results was empty: the child is told so, and asked again. */
  | { action: "nudge" }
  /** The conversation, of `tokens` by estimate, is too long for its model: it is compacted, and asked again. */
  | { action: "compact"; tokens: number }
  | { action: "give-up" };

/**
 * The limit that a child reached before it was asked, once and without tools, for a final answer. `context_full`: its
 * conversation was compacted again and again without a new outcome of a tool. `looping`: it made the same call, or
 * the same few calls in turn, again and again, with the same outcomes.
 */
export type FinalAnswerReason = "max_iterations" | "max_cost" | "context_full" | "looping";

/**
 * The subject of a hint to a child: its answer was empty, its answer contains calls as text, or it repeats one call or a
 * few in turn.
 */
export type AdviceReason = "empty_answer" | "text_call" | "repeated_call";
/** A limit that may run low. */
export type LimitName = "requests" | "cost" | "time";

/**
 * How a conversation was made shorter. Level 0: tool results became stubs, from which `recall` reads them again. 1: a
 * model's summary replaced the older steps. 2: the older steps were removed.
 */
export type CompactionLevel = 0 | 1 | 2;

/** The usage, cost and duration of a request, however it ended. */
export type RequestFacts = {
  usage?: Usage;
  /** USD; absent if the price or the usage is unknown. */
  costUsd?: number;
  keyName?: string;
  durationMs: number;
  /** Optional parameters that the route was found to reject: later requests go without them. */
  leftOut?: readonly RejectedParameter[];
};

/** An optional parameter that a route does not take, and the name it has there instead. */
export type RejectedParameter = { parameter: string; instead?: string };

/**
 * A record of the sent request, so that `deputy show --request` can write it again and compare. `requestSha256`: of the
 * body. `toolsSha256`: of a `tool-list-add`; absent without tools. `dialectVersion`: see `DIALECT_VERSION`. All are
 * absent in journals of format 1.
 */
export type RequestRecord = {
  requestSha256?: string;
  toolsSha256?: string;
  dialectVersion?: number;
  /** Longest answer, in tokens, where a budget or a compaction lowers it. */
  maxOutputTokens?: number;
  leftOut?: readonly RejectedParameter[];
};

/**
 * A level of a compaction that took effect. `tokens`: estimated length of the conversation before and after. `sha256`: of
 * the replaced messages, so that `deputy journal verify` can derive it again.
 */
type Compacted = { tokens: { before: number; after: number }; sha256: string } & (
  | /** Positions, in the conversation, of the messages that became stubs. */ { level: 0; stubs: number[] }
  /** `text` stands for the messages before position `until`, except pinned ones. `summary`: the model's part of it. */
  | ({ level: 1; until: number; text: string; summary: string; servedModel?: string } & RequestFacts)
  | { level: 2; until: number; text: string }
);

/** Level 1 without a summary. After `give-up`, level 2 follows. */
type NotCompacted = {
  level: 1;
  failure: Failure;
  recovery: Recovery;
  charged: boolean;
  /** As in `step-fail`. */
  usageSoFar?: true;
} & RequestFacts;

/** The reason for which a resume cannot continue a child. A later resume checks again. */
export type Blocked = { reason: "route-gone" | "input-changed" | "workspace-gone"; message: string };

/** The end of a child. Its `Result` is folded from this and the events before it. */
export type Ending =
  | { status: "completed"; text: string; answer?: SchemaCheck }
  | {
      status: "incomplete";
      exitReason: FinalAnswerReason | "output_cut" | "schema_invalid";
      /** The value of the limit that was reached, in requests or USD. */
      limit?: number;
      text: string;
      answer?: SchemaCheck;
    }
  | { status: "failed"; failure: Failure; text: string }
  | { status: "timeout"; exitReason: "timeout_seconds"; limit?: number; text: string; answer?: SchemaCheck }
  | { status: "interrupted"; exitReason: string; text: string; answer?: SchemaCheck };

/** The answer parsed as JSON and validated against the task's `output_schema`; the raw text is always kept too. */
export type SchemaCheck = {
  output?: unknown;
  valid: boolean;
  errors: string[];
  /** The schema could not be applied, through no fault of the answer. `errors` says why. */
  unchecked?: true;
};

/** An MCP client by its own name, and the real path of the workspace it works in. Such clients share their runs. */
export type McpClientFacts = { name: string; workspace: string };

/** `model`: another model wrote the message, and its child is told so. */
export type SteerAuthor = "model";

/**
 * `sandboxed`: whether a command would run in the sandbox; absent for other tools. `onlyUser`: no model may allow it,
 * whatever `approvals_by_model` says.
 */
export type SandboxFacts = { sandboxed?: boolean; onlyUser?: true };

/** Who denied a tool call, and why. */
export type Denial = { by: string; reason: string };

/**
 * The link of a retry to an earlier run. `carried`: the completed children of that run, by the id of the child that stands
 * for each here; events with their end follow, and nothing is requested for them.
 */
export type RetryOf = { delegationId: string; carried: Record<string, { from: string; filesChanged: string[] }> };

type Of<Kind extends string, Facts> = { kind: Kind; at: number; delegationId: string } & Facts;
/** `copied`: it happened in the child that this one was forked from, and counts there. */
type OfChild<Kind extends string, Facts> = Of<Kind, { childId: string; copied?: true } & Facts>;

/** An event of the whole delegation. */
export type DelegationEvent =
  /** The first event of a run: the call, and the plan for each task. */
  | Of<
      "delegation-start",
      {
        call: Call;
        planned: Planned[];
        surface: string;
        warnings: Warning[];
        /** Prompts, at that time, of the agent definitions that tasks use, by name. */
        agents?: Record<string, string>;
        /** The child whose tool call started this run, if any. */
        parent?: { childId: string; step: number; callId: string };
        /** Depth of the run's children: 1 (absent) for a call by no child, 0 for a conversation's own child. */
        depth?: number;
        /**
         * The server that owns the run: after a crash, its next process continues it, `deputy mcp` once its client
         * repeats the call. Absent for other owners.
         */
        server?: string;
        /** Hash of an MCP client's call, by which the client finds the run again when it repeats the call. */
        callKey?: string;
        /** The MCP client that began the run; absent for runs of other surfaces and of earlier versions. */
        client?: McpClientFacts;
        /** The `JOURNAL_FORMAT` that reading the run requires; absent in runs of format 1. */
        format?: number;
        /** Directory that the tasks' workspaces are relative to; absent in older journals. */
        directory?: string;
        /** The caller's model request, from flags. */
        wish?: Wish;
        /** The agent of a conversation that started this run in the background. */
        startedBy?: string;
        /** The run whose tasks this one runs again, and the results that it takes over from it. */
        retry?: RetryOf;
        /** The child and step that this run's child goes on from; copies of that child's events follow. */
        fork?: { from: string; step: number };
      }
    >
  /** The bytes of an image, stored once per run; call and plan refer to it by hash. */
  | Of<"image-add", { sha256: string; base64: string }>
  /** The text of a task's file, stored once per run. */
  | Of<"file-add", { sha256: string; text: string }>
  /** Tools as requests offer them, stored once per run; `step-start` refers to them by hash. */
  | Of<"tool-list-add", { sha256: string; tools: readonly object[] }>
  /**
   * A process continues a run whose owner died, or takes the next turn of a conversation. `renewed` holds the routes,
   * by child id, that have changed; `blocked` the children that cannot continue now and stay interrupted; `maxCostUsd`
   * is a new limit for the whole run; `server` and `format` as above.
   */
  | Of<
      "delegation-resume",
      {
        pid: number;
        renewed: Record<string, Route>;
        blocked?: Record<string, Blocked>;
        maxCostUsd?: number;
        server?: string;
        format?: number;
      }
    >
  /** A request, from any process, to stop a child or, without `target`, the whole run. */
  | Of<"stop-request", { target?: string; by: string }>
  /**
   * A message to a child, from any process. It is sent with the child's next request, as a `message-add`. `author`:
   * absent for a user or a program. `hosts`: those that the user's own words in it name.
   */
  | Of<
      "steer-request",
      { id: string; target: string; text: string; by: string; author?: SteerAuthor; hosts?: string[] }
    >
  /**
   * An answer, from any process, to a child's approval request. The child's `approval-end` records the decision that
   * counted. `request` is the code of the request it answers; without it, it answers none.
   */
  | Of<
      "approval-answer",
      { id: string; target: string; callId: string; request?: string; allowed: boolean; by: string; reason: string }
    >
  /** An MCP client has received the end of its call, or no longer wants it: the same call starts a new run from now on. */
  | Of<"call-close", { client: string }>
  /**
   * The branches of these children, `compared`, were merged with each other to see which of them collide. It replaces
   * what an earlier one says. `error`: why they could not be compared.
   */
  | Of<"conflict-check", { compared: string[]; conflicts: SiblingConflict[]; error?: string }>
  /** The work of a child, up to `head`, was applied: to the working tree at `directory`, or to a new branch. */
  | Of<
      "branch-apply",
      { target: string; head: string; directory: string; to: Exclude<ApplyTarget, { kind: "patch" }>; by: string }
    >
  /** `durationMs`: total working time, by a monotonic clock. */
  | Of<"delegation-end", { durationMs?: number }>;

/** Content of requests that a run stores once. */
export type ContentEvent = Extract<DelegationEvent, { kind: "image-add" | "file-add" | "tool-list-add" }>;

/** An event of one child. */
export type ChildEvent =
  /** `mcpTools`: its tools of MCP servers, as it was offered them; absent without any, and in older journals. */
  | OfChild<
      "child-start",
      { taskIndex: number; prompt: { system: string; user: string }; mcpTools?: readonly PinnedTool[] }
    >
  /** A child starts on a route: position 0 is the requested one, n the nth declared fallback. */
  | OfChild<"attempt-start", { position: number; provider: string; model: string }>
  /**
   * The intent of a model request, before anything is sent. `reservedUsd` is its worst case, reserved in every
   * enclosing budget; absent without a budget. It counts as the cost of a request whose real cost is unknown.
   */
  | OfChild<"step-start", { step: number; reservedUsd?: number } & RequestRecord>
  | OfChild<
      "step-end",
      {
        step: number;
        parts: Part[];
        finish: Finish;
        servedModel?: string;
        /** Calls that the model wrote into its text: how many were read, or that they cannot be read. */
        textCalls?: number | "unreadable";
      } & RequestFacts
    >
  | OfChild<
      "step-fail",
      {
        step: number;
        failure: Failure;
        recovery: Recovery;
        /** The text that arrived before the failure. */
        partialText: string;
        /** The usage is a count as of when the response broke off: the request may have cost more. */
        usageSoFar?: true;
        /** Whether the provider may have charged for the request: it had started to respond. */
        charged: boolean;
        /** The child was stopped before the request was sent. */
        isUnsent?: true;
      } & RequestFacts
    >
  /**
   * The intent of one level of a compaction. Level 1 asks this model for a summary of the messages before `until`;
   * `reservedUsd` as in `step-start`.
   */
  | OfChild<
      "compact-start",
      {
        level: CompactionLevel;
        provider?: string;
        model?: string;
        until?: number;
        reservedUsd?: number;
      } & RequestRecord
    >
  | OfChild<"compact-end", Compacted | NotCompacted>
  /**
   * The child pauses until its provider's quota is renewed (`until`, milliseconds since the epoch). Repeated after a
   * crash.
   */
  | OfChild<"pause-start", { until: number; failure: Failure }>
  | OfChild<"pause-end", Record<never, never>>
  /**
   * `directory`: real path of the directory it would run in. `answerBy`: deadline in milliseconds since the epoch;
   * absent if nobody can answer. `reason`: why it is asked although a rule allows it; absent otherwise.
   */
  | OfChild<
      "approval-ask",
      {
        callId: string;
        name: string;
        target: string;
        directory?: string;
        answerBy?: number;
        reason?: string;
      } & SandboxFacts
    >
  /** `answerId`: the `approval-answer` that decided it, if any. */
  | OfChild<"approval-end", { callId: string; allowed: boolean; by: string; reason: string; answerId?: string }>
  /**
   * The intent of a tool call, before anything runs. `searched`: what a search looks for, and `sandboxed`: whether a
   * command runs in the sandbox; absent in older journals.
   */
  | OfChild<
      "tool-start",
      { callId: string; name: string; target: string; searched?: string; sandboxed?: boolean; effect: ToolEffect }
    >
  | OfChild<
      "tool-end",
      {
        callId: string;
        name: string;
        target: string;
        /** What a search looked for; absent in older journals. */
        searched?: string;
        /** Whether a command ran in the sandbox; absent for other tools, and in older journals. */
        sandboxed?: boolean;
        /** The text that the model reads. */
        text: string;
        ok: boolean;
        /** `unknown`: the call was running when the process died. */
        outcome: "ran" | "denied" | "invalid" | "unknown";
        /** The decision that denied it: of a rule (`by: "rule"`) or as in `approval-end`. Absent in older journals. */
        denial?: Denial;
        /** The model called a tool that it does not have. */
        isUnknownTool?: true;
        filesChanged: string[];
        /** Files that the model knows from now on; absent = none. */
        seen?: SeenFile[];
        /** The child's list of its work from now on; absent = unchanged. */
        todo?: TodoItem[];
        /** Of the files whose lines were compared; absent in older journals. */
        linesChanged?: LinesChanged;
        /** Images that it shows; an `image-add` has the bytes of each. */
        images?: StoredImage[];
        durationMs: number;
      }
    >
  /** Usage so far of a delegation that the child made, including nested ones. A newer event replaces it. */
  | OfChild<"delegation-charge", { charge: NestedUsage }>
  /**
   * A message to the child in addition to its task. `user`: the next message of a conversation, which starts a turn.
   * `fork`: the message with which a copied conversation goes on, as a turn.
   * `steer`: the text of a `steer-request`. `hosts`: those that the user's own words in it name; absent = none.
   */
  | OfChild<
      "message-add",
      | { text: string; reason: "repair" | AdviceReason | FinalAnswerReason }
      | { text: string; reason: "user" | "fork"; hosts?: string[] }
      | { text: string; reason: "limits"; limits: readonly LimitName[] }
      | { text: string; reason: "steer"; steerId: string; hosts?: string[] }
    >
  | OfChild<"child-warn", { warning: Warning }>
  /** The child works in a working copy of its own, which is there. Before its start, and again at each resume. */
  | OfChild<"worktree-add", WorktreeFacts>
  /** Its work is on its branch, in the repository that it is a copy of; or could not be saved, and is in the copy. */
  | OfChild<"worktree-save", SavedWork | { error: string }>
  | OfChild<"child-end", { ending: Ending; durationMs: number }>;

/** Broadcast live and never stored: the finished message is stored once. */
export type LiveEvent =
  | OfChild<"text-delta", { text: string }>
  | OfChild<"reasoning-delta", { text: string }>
  /** The child waits for a slot; `place` 1 is next. */
  | OfChild<"queue-move", { taskIndex: number; place: number }>
  /** The child waits for the provider's rate limiter: for `delayMs`, or until a request in flight there has ended. */
  | OfChild<"gate-wait", { provider: string; limit: string; delayMs?: number }>
  /** The child waits for a shared budget: other children have reserved `heldUsd` of it. */
  | OfChild<"budget-wait", { heldUsd: number }>
  | OfChild<"retry-wait", { failure: Failure; delayMs: number }>;

export type StoredEvent = DelegationEvent | ChildEvent;
export type Event = StoredEvent | LiveEvent;
export type EventKind = Event["kind"];

/**
 * Durability of each kind in the journal: `live` events are only broadcast, `stored` ones may wait for the next commit,
 * and `barrier` ones must be durable before the writer continues (an intent before its action, an end before anyone
 * sees it).
 */
export const DURABILITY = {
  "delegation-start": "barrier",
  "delegation-resume": "barrier",
  "image-add": "stored",
  "file-add": "stored",
  "tool-list-add": "stored",
  "stop-request": "barrier",
  "steer-request": "barrier",
  "approval-answer": "barrier",
  "call-close": "barrier",
  "conflict-check": "stored",
  "branch-apply": "barrier",
  "delegation-end": "barrier",
  "child-start": "stored",
  "attempt-start": "stored",
  "step-start": "barrier",
  "step-end": "stored",
  "step-fail": "stored",
  "compact-start": "barrier",
  "compact-end": "stored",
  "pause-start": "stored",
  "pause-end": "stored",
  "approval-ask": "barrier",
  "approval-end": "stored",
  "tool-start": "barrier",
  "tool-end": "stored",
  "delegation-charge": "stored",
  "message-add": "stored",
  "child-warn": "stored",
  "worktree-add": "barrier",
  "worktree-save": "stored",
  "child-end": "barrier",
  "text-delta": "live",
  "reasoning-delta": "live",
  "queue-move": "live",
  "gate-wait": "live",
  "budget-wait": "live",
  "retry-wait": "live",
} as const satisfies Record<EventKind, "live" | "stored" | "barrier">;

/**
 * The format of stored events that this program writes and reads. Each run names it at its start and at each resume; a
 * run without one is of format 1. Raise it when an earlier program would misread a run: with a new event kind, or a
 * field that changes what other fields mean.
 */
export const JOURNAL_FORMAT = 3;

/** Events that any process may write about a run it does not own. */
export const REQUESTS = [
  "stop-request",
  "steer-request",
  "approval-answer",
  "call-close",
  "branch-apply",
] as const satisfies StoredEvent["kind"][];

export function isRequest({ kind }: StoredEvent): boolean {
  return REQUESTS.some((request) => request === kind);
}

export function isStored(event: Event): event is StoredEvent {
  return DURABILITY[event.kind] !== "live";
}
