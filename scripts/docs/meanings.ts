/** What each kind and code means, for people. A new one does not compile until it is explained here. */
import type { DeputyErrorCode, FailureKind, ProblemCode } from "../../src/errors.ts";
import type { EventKind } from "../../src/event.ts";
import type { Fault } from "../../src/testing/faults.ts";

export const FAILURES: Record<FailureKind, string> = {
  "rate-limited": "429, or the stream says that requests come too fast",
  "quota-exhausted": "402, or the provider's words say that credit or a plan's allowance is used up",
  overloaded: "5xx, or the stream says that the provider is overloaded or failing",
  network: "no connection, a reset, a name that does not resolve, TLS; 408 and 425",
  stalled: "not a word for `delegation.stall_seconds`",
  unauthorized: "401, 403, or the provider says that the key is wrong",
  "context-overflow": "the provider says that the conversation is longer than the context window",
  refused: "a content filter, or the model's provider, refused to answer",
  "invalid-request": "any other 4xx: the provider does not take the request",
  "malformed-response": "HTML, broken JSON, an empty or unfinished answer, one over 16 MB",
  aborted: "the request was broken off from here: a stop, or the child's time was over",
};

export const PROBLEMS: Record<ProblemCode, string> = {
  "unknown-model": "the model string cannot be read, or no model is named and the provider has no default",
  "unknown-provider": "no built-in provider and none of yours has this name",
  "unsupported-provider": "a provider that Deputy does not speak to; the message says what to use instead",
  "unknown-alias": "the name looks like an alias and is none, or aliases lead in a circle",
  "ambiguous-route": "no provider is named and several have a key, or a family alias can mean several models",
  "conflicting-route": "two providers or efforts in one place, or a provider before a colon",
  "missing-key": "no usable key; the message lists every place that was looked at",
  "foreign-model": "the model is known to be another maker's than the provider's",
  "effort-unsupported": "the model does not take this effort; the message lists those it takes",
  "denied-by-policy": "a model asked for what `delegation.allow` and `delegation.deny` do not let it choose",
  "toolset-unavailable": "no such toolset, or `delegation.toolsets` does not give it to children",
  "context-too-large": "goal and context are longer than the model's context window",
  "unknown-price": "a budget is set and the model's price is not known",
  "workspace-unusable": "the workspace is no directory",
  "hook-failed": "the program's routing hook threw, or said what is no choice",
};

export const ERRORS: Record<DeputyErrorCode, string> = {
  usage: "a command, flag or argument that is none",
  "config-invalid": "a config file or variable cannot be read; every mistake is listed with line and column",
  "input-unreadable": "the task file is missing, empty, not text, or not YAML or JSON",
  "task-invalid": "the tasks have mistakes; each is listed with its line, task index and field",
  "output-unwritable": "`--output` cannot be written; nothing was started",
  "nothing-to-run": "no task can start, or with `--strict` not all can; every problem is listed",
  "journal-unusable": "the journal cannot be opened, read or written",
  "journal-full": "the disk under the journal is full; what was acknowledged is kept",
  "run-unknown": "no run, or more than one, has an id that begins so",
  "run-owned": "another live process is working on the run",
};

export const EVENTS: Record<EventKind, string> = {
  "delegation-start": "what was asked for, and the plan of each task; the first event of a run",
  "delegation-resume": "a process goes on with the run; routes that lead elsewhere today",
  "stop-request": "someone asked one child, or all, to stop",
  "delegation-end": "every child has ended",
  "child-start": "a child begins, with the prompts it got",
  "attempt-start": "a child begins on a route: 0 is the one asked for, n its nth fallback",
  "step-start": "a model request is about to leave",
  "step-end": "the model's whole answer, its usage, cost and time",
  "step-fail": "a request failed: how, what had arrived, and what comes next",
  "approval-ask": "a tool call needs an answer",
  "approval-end": "the answer: allowed or not, by whom, why",
  "tool-start": "a tool call is about to run",
  "tool-end": "what came of it: text for the model, files changed",
  "message-add": "the child was asked to repair its answer, or for its last words",
  "child-warn": "a warning about a child",
  "child-end": "how the child ended",
  "text-delta": "a piece of an answer",
  "reasoning-delta": "a piece of the model's reasoning",
  "queue-move": "a child's place in the queue",
  "retry-wait": "a child waits before it tries again",
};

export const FAULTS: Record<Fault["kind"], string> = {
  "rate-limited": "429, with `retryAfter` in seconds or as a date",
  "quota-exhausted": "money or allowance used up; `status`, `resetsAt`",
  overloaded: "503 (Anthropic: 529); `status`, `retryAfter`",
  unauthorized: "the vendor's answer to a wrong key; `status`",
  "model-missing": "the vendor's answer to a model it does not have",
  "context-overflow": "the vendor's answer to a prompt that is too long",
  "effort-unsupported": "the vendor's answer to an effort the model does not take",
  "parameter-unsupported": "the same for any `parameter`",
  refused: "a content filter: `as` a `finish` or a `message`",
  "reset-before-headers": "the connection is reset before anything is sent",
  "reset-mid-stream": "the connection is reset `afterDeltas`",
  "no-end": "the connection ends, the answer does not; `afterDeltas`",
  silence: "nothing for `ms`, or for good; `afterDeltas`",
  garbage: "an event that is no JSON; `afterDeltas`",
  "half-tool-call": "the last tool call's arguments stop halfway",
  html: "a web page in place of an answer; `status`",
  empty: "a well-formed answer with nothing in it",
  "error-event": "the stream says it failed; `afterDeltas`, `error`",
  "invalid-utf8": "bytes that are no UTF-8",
  huge: "an answer of about so many `bytes`",
  "slow-drip": "the answer `bytes` at a time, `everyMs`",
  redirect: "a redirect to `location`; `status`",
  response: "anything else, word for word: `status`, `body`, `headers`",
};
