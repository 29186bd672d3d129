/**
 * Everything that happens, as facts. There is one union; results, live lines, dashboards and resume are folds over it.
 * An event is noun-verb, carries when and whom it is about, and never a secret.
 */
import type { Failure, Warning } from "./errors.ts";
import type { Planned } from "./plan.ts";
import type { Route } from "./route.ts";
import type { Call } from "./task.ts";
import type { ToolEffect } from "./tool.ts";

/** What a model said, kept as its provider sent it so that it can be sent back. */
export type Part =
  | { type: "text"; text: string; private?: ProviderPrivate }
  | { type: "reasoning"; text: string; private?: ProviderPrivate }
  | { type: "tool-call"; callId: string; name: string; input: unknown; private?: ProviderPrivate };

/** Signatures and the like: sent back to the same provider, dropped on a change of provider. */
export type ProviderPrivate = Record<string, Record<string, unknown>>;

/** Tokens of one request, as the provider counted them. */
export type Usage = { input: number; output: number; cached: number; reasoning: number };

/**
 * What a delegation has used, and what it changed. `unpriced`, `uncertain`: requests whose cost is not, or not surely, known.
 * `uncertainUsd`: what budgets reserved for those; absent = nothing.
 */
export type NestedUsage = {
  delegationId: string;
  apiCalls: number;
  tokens: Usage;
  costUsd: number;
  unpriced: number;
  uncertain: number;
  uncertainUsd?: number;
  /** Relative to the workspace of the child that made it. */
  filesChanged: string[];
};

/** Why a step's answer ended, in one vocabulary for all wire formats. */
export type Finish = "stop" | "tool-calls" | "length" | "refused";

/**
 * What comes next after a failed request: decided by `engine/limits/retry-policy.ts`, recorded with the failure. `next-key`: the
 * same request at once, with another key of the pool; it does not count as a try.
 */
export type Recovery =
  | { action: "next-key" }
  | { action: "retry"; delayMs: number }
  /** The quota is used up until then: `delayMs` after the failure. */
  | { action: "pause"; delayMs: number }
  | { action: "fallback" }
  | { action: "give-up" };

/** The limit that was reached when a child is asked, once and without tools, for what it has. */
export type FinalAnswerReason = "max_iterations" | "max_cost";

/** Why a child cannot continue when its run is resumed. Nothing else is written of it: a later resume looks again. */
export type Blocked = { reason: "route-gone" | "input-changed" | "workspace-gone"; message: string };

/** How a child ended. Its `Result` is folded from this and the events before it. */
export type Ending =
  | { status: "completed"; text: string; answer?: SchemaCheck }
  | {
      status: "incomplete";
      exitReason: FinalAnswerReason | "output_cut" | "schema_invalid";
      /** Of the limit that was reached: requests or USD. */
      limit?: number;
      text: string;
      answer?: SchemaCheck;
    }
  | { status: "failed"; failure: Failure; text: string }
  | { status: "timeout"; exitReason: "timeout_seconds"; limit?: number; text: string; answer?: SchemaCheck }
  | { status: "interrupted"; exitReason: string; text: string; answer?: SchemaCheck };

/** The answer read as JSON and checked against the task's `output_schema`; the raw text is always kept beside it. */
export type SchemaCheck = {
  output?: unknown;
  valid: boolean;
  errors: string[];
  /** The schema could not be applied, which is no fault of the answer. `errors` says why. */
  unchecked?: true;
};

type Of<Kind extends string, Facts> = { kind: Kind; at: number; delegationId: string } & Facts;
type OfChild<Kind extends string, Facts> = Of<Kind, { childId: string } & Facts>;

/** About the whole delegation. */
export type DelegationEvent =
  /** The first event of a run: what was asked for, and what planning made of each task. */
  | Of<
      "delegation-start",
      {
        call: Call;
        planned: Planned[];
        surface: string;
        warnings: Warning[];
        /** Prompts of the agent definitions that tasks work by, as they were then, by name. */
        agents?: Record<string, string>;
        /** The child whose call this is, where one made it. */
        parent?: { childId: string; step: number; callId: string };
        /** Of its children: those of a call that no child made are at depth 1 (absent), a conversation's own child at 0. */
        depth?: number;
        /** The server that owns it: after a crash, its next process goes on with the run. Absent for every other owner. */
        server?: string;
      }
    >
  /** The bytes of an image that the call itself held, once; call and plan name it by its hash. */
  | Of<"image-add", { sha256: string; base64: string }>
  /**
   * A process goes on with a run: one whose owner died, or a conversation that takes its next turn. `renewed` holds the
   * routes, by child id, that lead elsewhere than before; `blocked` the children that cannot continue now and stay
   * interrupted; `maxCostUsd` is a new limit for all of it; `server` as above.
   */
  | Of<
      "delegation-resume",
      {
        pid: number;
        renewed: Record<string, Route>;
        blocked?: Record<string, Blocked>;
        maxCostUsd?: number;
        server?: string;
      }
    >
  /** Someone, in any process, asked that a child (or, without `target`, everything) stop. */
  | Of<"stop-request", { target?: string; by: string }>
  /** Someone, in any process, says something to a child. It goes with the child's next request, as a `message-add`. */
  | Of<"steer-request", { id: string; target: string; text: string; by: string }>
  /**
   * Someone, in any process, answers a child's question. What settled it is told by the child's `approval-end`.
   * `request`: the code of the request it answers; without it, it answers none.
   */
  | Of<
      "approval-answer",
      { id: string; target: string; callId: string; request?: string; allowed: boolean; by: string; reason: string }
    >
  /** `durationMs`: how long it was worked on in all, by a clock that nobody sets. */
  | Of<"delegation-end", { durationMs?: number }>;

/** About one child. */
export type ChildEvent =
  | OfChild<"child-start", { taskIndex: number; prompt: { system: string; user: string } }>
  /** A child begins on a route: position 0 is the one that was asked for, n its nth declared fallback. */
  | OfChild<"attempt-start", { position: number; provider: string; model: string }>
  /**
   * The intent of a model request. Nothing has left yet. `reservedUsd`: its worst case, as every budget above it holds it;
   * absent where no budget does. Where nobody says what the request cost, this is what it counts.
   */
  | OfChild<"step-start", { step: number; reservedUsd?: number }>
  | OfChild<
      "step-end",
      {
        step: number;
        parts: Part[];
        finish: Finish;
        usage?: Usage;
        /** USD; absent where the price or the usage is not known. */
        costUsd?: number;
        servedModel?: string;
        keyName?: string;
        durationMs: number;
      }
    >
  | OfChild<
      "step-fail",
      {
        step: number;
        failure: Failure;
        recovery: Recovery;
        /** What had arrived before it failed. */
        partialText: string;
        usage?: Usage;
        costUsd?: number;
        /** The usage is what was counted when the answer broke off: it may have cost more. */
        usageSoFar?: true;
        /** Whether the provider may have charged for it: it had begun to answer. */
        charged: boolean;
        keyName?: string;
        durationMs: number;
      }
    >
  /** It sleeps until the provider's quota is there again (`until`, milliseconds since the epoch). Said anew after a crash. */
  | OfChild<"pause-start", { until: number; failure: Failure }>
  | OfChild<"pause-end", Record<never, never>>
  /**
   * `directory`: the real path it would run in. `answerBy`: until when it waits, in milliseconds since the epoch; absent
   * where nobody could answer.
   */
  | OfChild<"approval-ask", { callId: string; name: string; target: string; directory?: string; answerBy?: number }>
  /** `answerId`: the `approval-answer` that settled it, where one did. */
  | OfChild<"approval-end", { callId: string; allowed: boolean; by: string; reason: string; answerId?: string }>
  /** The intent of a tool call. Nothing has run yet. */
  | OfChild<"tool-start", { callId: string; name: string; target: string; effect: ToolEffect }>
  | OfChild<
      "tool-end",
      {
        callId: string;
        name: string;
        target: string;
        /** What the model reads of it. */
        text: string;
        ok: boolean;
        /** `unknown`: it was running when the process died. */
        outcome: "ran" | "denied" | "invalid" | "unknown";
        filesChanged: string[];
        durationMs: number;
      }
    >
  /** What a delegation that the child made has used so far, its own nested ones included. A newer one takes its place. */
  | OfChild<"delegation-charge", { charge: NestedUsage }>
  /**
   * Something said to the child beside its task. `user`: the next message of a conversation, which begins a turn.
   * `steer`: what a `steer-request` said.
   */
  | OfChild<
      "message-add",
      | { text: string; reason: "repair" | "user" | FinalAnswerReason }
      | { text: string; reason: "steer"; steerId: string }
    >
  | OfChild<"child-warn", { warning: Warning }>
  | OfChild<"child-end", { ending: Ending; durationMs: number }>;

/** Seen live, never stored: the finished message is stored once. */
export type LiveEvent =
  | OfChild<"text-delta", { text: string }>
  | OfChild<"reasoning-delta", { text: string }>
  /** Waiting for a slot: `place` 1 is next. */
  | OfChild<"queue-move", { taskIndex: number; place: number }>
  /** Waiting for the provider's rate limiter; without `delayMs`, until a request that is under way there has ended. */
  | OfChild<"gate-wait", { provider: string; limit: string; delayMs?: number }>
  /** Waiting for money of a shared budget: other children have reserved `heldUsd` of it. */
  | OfChild<"budget-wait", { heldUsd: number }>
  | OfChild<"retry-wait", { failure: Failure; delayMs: number }>;

export type StoredEvent = DelegationEvent | ChildEvent;
export type Event = StoredEvent | LiveEvent;
export type EventKind = Event["kind"];

/**
 * What the journal owes each kind: `live` is broadcast only, `stored` may wait for the next commit, `barrier` must be
 * durable before the one who said it goes on (an intent before its deed, an end before anyone hears of it).
 */
export const DURABILITY = {
  "delegation-start": "barrier",
  "delegation-resume": "barrier",
  "image-add": "barrier",
  "stop-request": "barrier",
  "steer-request": "barrier",
  "approval-answer": "barrier",
  "delegation-end": "barrier",
  "child-start": "stored",
  "attempt-start": "stored",
  "step-start": "barrier",
  "step-end": "stored",
  "step-fail": "stored",
  "pause-start": "stored",
  "pause-end": "stored",
  "approval-ask": "barrier",
  "approval-end": "stored",
  "tool-start": "barrier",
  "tool-end": "stored",
  "delegation-charge": "stored",
  "message-add": "stored",
  "child-warn": "stored",
  "child-end": "barrier",
  "text-delta": "live",
  "reasoning-delta": "live",
  "queue-move": "live",
  "gate-wait": "live",
  "budget-wait": "live",
  "retry-wait": "live",
} as const satisfies Record<EventKind, "live" | "stored" | "barrier">;

/** Events that any process may write about a run it does not own. */
export const REQUESTS = ["stop-request", "steer-request", "approval-answer"] as const satisfies StoredEvent["kind"][];

export function isRequest({ kind }: StoredEvent): boolean {
  return REQUESTS.some((request) => request === kind);
}

export function isStored(event: Event): event is StoredEvent {
  return DURABILITY[event.kind] !== "live";
}
