/** What each kind and code means, for people. A new one does not compile until it is explained here. */
import type { DeputyErrorCode, FailureKind, ProblemCode } from "../../src/errors.ts";
import type { EventKind } from "../../src/event.ts";
import type { Fault } from "../../src/testing/faults.ts";

/** What a code's message says (parts of it, as in the source), what it means, and what to do. */
export type Explained = { says: readonly string[]; means: string; todo: string };

export const FAILURES: Record<FailureKind, Explained> = {
  "rate-limited": {
    says: ["limits the rate of requests"],
    means: "429, or the stream says that requests come too fast",
    todo: "Usually nothing: it is tried again. Else `requests_per_minute` or a second key for the provider, or a fallback.",
  },
  "quota-exhausted": {
    says: ["says its quota or credit is used up"],
    means: "402, or the provider's words say that credit or a plan's allowance is used up",
    todo: "Top up, declare a fallback, or wait for the reset: `delegation.on_quota: pause`.",
  },
  overloaded: {
    says: ["is overloaded or failing"],
    means: "5xx, or the stream says that the provider is overloaded or failing",
    todo: "Run the task again later, or declare a fallback at another provider.",
  },
  network: {
    says: ["cannot be reached or broke the connection off"],
    means: "no connection, a reset, a name that does not resolve, TLS; 408 and 425",
    todo: "Look at the address, the proxy (the message names one that is in use; `NO_PROXY` for local endpoints) and the certificates (`NODE_EXTRA_CA_CERTS`).",
  },
  stalled: {
    says: ["was silent for"],
    means: "not a word for `delegation.stall_seconds`",
    todo: "A slow model: raise `delegation.stall_seconds`.",
  },
  unauthorized: {
    says: ["does not accept the key", "does not let this key do that"],
    means: "401, 403, or the provider says that the key is wrong",
    todo: "`deputy doctor` says which variable the key came from, `deputy doctor --online` whether it is accepted. A key that may not use this model: choose another model, or another key.",
  },
  "context-overflow": {
    says: ["says the text is longer than the model's context window"],
    means: "the provider says that the conversation is longer than the context window",
    todo: "Split the task, or run it on a model with a longer window.",
  },
  refused: {
    says: ["refused to answer"],
    means: "a content filter, or the model's provider, refused to answer",
    todo: "Say the task in other words, or declare a fallback at another vendor.",
  },
  "invalid-request": {
    says: ["does not take the request", "which is not followed: keys stay with their own origin"],
    means: "any other 4xx, or a redirect: the provider does not take the request",
    todo: "The message has the provider's reason: often a model's id. After a redirect, set `base_url` to the real address.",
  },
  "malformed-response": {
    says: ["sent an answer that cannot be read", "the answer is empty"],
    means: "HTML, broken JSON, an empty or unfinished answer, one over 16 MB",
    todo: "Often a web page of a proxy, or a wrong `base_url` or `api_mode`.",
  },
  "served-mismatch": {
    says: ["its response names"],
    means: "the response names another model, and `delegation.on_served_mismatch` is `fail`",
    todo: "Ask for the model that the provider names, or set `delegation.on_served_mismatch: warn`.",
  },
  aborted: {
    says: ["was broken off"],
    means: "the request was broken off from here: a stop, or the child's time was over",
    todo: "`deputy resume ID` goes on with what was stopped.",
  },
};

export const PROBLEMS: Record<ProblemCode, Explained> = {
  "unknown-model": {
    says: ["Expected one model id and at most", "it has no default", "is known to serve; found none"],
    means: "the model string cannot be read, or no model is named and the provider has no default",
    todo: "Name a model that `deputy models` lists, or set `providers.*.default_model`.",
  },
  "unknown-provider": {
    says: ["Expected a provider Deputy knows"],
    means: "no built-in provider and none of yours has this name",
    todo: "Take one of the [table](models-and-providers.md#providers), or configure an endpoint under `providers:`.",
  },
  "unsupported-provider": {
    says: ["Deputy does not speak to"],
    means: "a provider that is known from other tools and not spoken to",
    todo: "Take the one that the message names instead.",
  },
  "unknown-alias": {
    says: ["Expected a model, a family or one of your aliases", "found a circle under"],
    means: "the name looks like an alias and is none, or aliases lead in a circle",
    todo: "Correct the slip; or list the model under the provider's `models`.",
  },
  "ambiguous-route": {
    says: ["nothing names one, and several have a key", "Name one of them"],
    means: "no provider is named and several have a key, or a family alias can mean several models",
    todo: "Write `provider` into the task or the config, or use `--provider`; for a family, the model's id.",
  },
  "conflicting-route": {
    says: ["with a provider before a colon", "Remove one of them", "are the same provider"],
    means: "two providers or efforts in one place, or a provider before a colon",
    todo: "Write `MODEL --provider NAME`, or use the field `provider`; say each thing once.",
  },
  "missing-key": {
    says: ["No key for", "Expected a provider with a key", "cannot be used:"],
    means: "no usable key; the message lists every place that was looked at",
    todo: "Set one of those. A remark in brackets says why one that was found is not used. See [keys](models-and-providers.md#keys-and-where-they-go).",
  },
  "foreign-model": {
    says: ["which another provider makes"],
    means: "the model is known to be another maker's than the provider's",
    todo: "Name the provider that serves the model, as the message suggests.",
  },
  "effort-unsupported": {
    says: ["after --effort; found"],
    means: "the model does not take this effort; the message lists those it takes",
    todo: "Take one of those, or leave the effort out.",
  },
  "denied-by-policy": {
    says: ["Expected a route that the user lets a model choose"],
    means: "a model asked for what `delegation.allow` and `delegation.deny` do not let it choose",
    todo: "The model reads what is allowed and asks again; or change the [policy](models-and-providers.md#what-a-model-may-choose).",
  },
  "toolset-unavailable": {
    says: ["Expected toolsets out of", "because toolsets are named"],
    means: "no such toolset, `delegation.toolsets` does not give it to children, or the model cannot call tools",
    todo: "Take those that the message lists, or another model.",
  },
  "role-unavailable": {
    says: ["Expected role: leaf", "because an orchestrator delegates with one"],
    means:
      "`role: orchestrator` deeper than `delegation.max_spawn_depth` lets children delegate, or on a model that cannot call tools",
    todo: "Raise `delegation.max_spawn_depth`, or leave `role` out.",
  },
  "context-too-large": {
    says: ["the context window of"],
    means: "goal and context are longer than the model's context window",
    todo: "Put the text into a file of the workspace, or shorten it.",
  },
  "unknown-price": {
    says: ["Expected a known price for"],
    means: "a budget is set and the model's price is not known",
    todo: "State the price in the config, or set `delegation.allow_unknown_price: true`.",
  },
  "budget-too-small": {
    says: ["Expected a budget of at least"],
    means: "the budget cannot pay for a single request to the model",
    todo: "Raise `max_cost_usd`, or take a cheaper model.",
  },
  "workspace-unusable": {
    says: ["Expected a directory at", "Expected a directory in the caller's workspace"],
    means: "the workspace is no directory, or not one that a model may choose",
    todo: "Correct `workspace`, which is relative to the working directory; or add the directory to `extra_dirs`.",
  },
  "hook-failed": {
    says: ["The program's routing hook did not choose"],
    means: "the program's routing hook threw, or said what is no choice",
    todo: "Mend the program's `route`.",
  },
  "unknown-agent": {
    says: ["Expected the name of an agent definition"],
    means: "no agent definition has this name",
    todo: "Take one that the message or `deputy agents` lists.",
  },
  "image-unusable": {
    says: ["expected a PNG, JPEG, GIF or WebP by its first bytes", "expected at most"],
    means: "an image is not there, outside of the workspace, too large, or not a PNG, JPEG, GIF or WebP",
    todo: "See [images](delegation.md#images) for what fits.",
  },
  "images-unsupported": {
    says: ["Expected a model that takes images"],
    means: "the model does not take images, or its API not in this form",
    todo: "Take a model that the message lists, or set `vision` where Deputy is wrong about it.",
  },
};

export const ERRORS: Record<DeputyErrorCode, Explained> = {
  usage: {
    says: ["There is no command"],
    means: "a command, flag or argument that is none",
    todo: "`--help` after a command tells its flags, with examples.",
  },
  "config-invalid": {
    says: ["in a project file that is not trusted"],
    means: "a config file or variable cannot be read; every mistake is listed with line and column",
    todo: "Correct it; [every key](configuration.md#every-key). A project's file: read it, then `deputy config trust`.",
  },
  "input-unreadable": {
    says: ["There is no file", "Expected tasks as YAML, JSON or JSON lines"],
    means: "the task file is missing, empty, not text, or not YAML or JSON",
    todo: "Correct the path or the file.",
  },
  "task-invalid": {
    says: ["Unknown field", "Expected a task"],
    means: "the tasks have mistakes; each is listed with its line, task index and field",
    todo: "Correct them; [every field](delegation.md#fields).",
  },
  "output-unwritable": {
    says: ["Cannot write results to"],
    means: "`--output` or a config cannot be written; nothing was started",
    todo: "Choose another place.",
  },
  "nothing-to-run": {
    says: ["No task can start:", "Nothing was started, because not all can:"],
    means: "no task can start, or with `--strict` not all can; every problem is listed",
    todo: "See [the problems](#problems-found-before-the-start).",
  },
  "out-of-resources": {
    says: ["Ask for less at once, and try again."],
    means: "the process or the system has run out of file descriptors, processes or memory",
    todo: "Raise the limit (`ulimit -n`, `ulimit -u`), lower `--concurrency`, or end other programs.",
  },
  "journal-unusable": {
    says: ["is not a journal, or is damaged", "for writing"],
    means: "the journal cannot be opened, read or written",
    todo: "See [the journal](runs.md#the-journal).",
  },
  "journal-full": {
    says: ["cannot grow"],
    means: "the disk under the journal is full; what was acknowledged is kept",
    todo: "Make room, then `deputy resume ID`.",
  },
  "run-unknown": {
    says: ["There is no run", "Expected the id of a run"],
    means: "no run, or more than one, has an id that begins so",
    todo: "`deputy runs` lists them.",
  },
  "run-owned": {
    says: ["is being worked on by process"],
    means: "another live process is working on the run",
    todo: "`deputy watch ID` shows it, `deputy stop ID` stops it.",
  },
  "run-ended": {
    says: ["nobody is there to hear it"],
    means: "a message for a child that has ended",
    todo: "`deputy show ID.n` has its answer; a new task can go on from there.",
  },
  "question-closed": {
    says: ["its last question was"],
    means: "an answer to a question that is not open",
    todo: "`deputy approve` lists what waits.",
  },
};

export const EVENTS: Record<EventKind, string> = {
  "delegation-start": "what was asked for, and the plan of each task; the first event of a run",
  "image-add": "the bytes of an image that a task held as a `data:` URL, once; elsewhere only its hash stands",
  "delegation-resume":
    "a process goes on with the run; routes that lead elsewhere today, and children that cannot continue",
  "stop-request": "someone asked one child, or all, to stop",
  "steer-request": "someone says something to a child",
  "approval-answer": "someone, in another place, answers a child's question",
  "delegation-charge": "what a delegation that the child made has used so far",
  "delegation-end": "every child has ended",
  "child-start": "a child begins, with the prompts it got",
  "attempt-start": "a child begins on a route: 0 is the one asked for, n its nth fallback",
  "step-start": "a model request is about to leave; what budgets reserved for it",
  "step-end": "the model's whole answer, its usage, cost and time",
  "step-fail": "a request failed: how, what had arrived, and what comes next",
  "pause-start": "a child sleeps until its provider's quota is there again; said anew after a crash",
  "pause-end": "it goes on",
  "approval-ask": "a tool call needs an answer",
  "approval-end": "the answer: allowed or not, by whom, why",
  "tool-start": "a tool call is about to run",
  "tool-end": "what came of it: text for the model, files changed",
  "message-add": "the child was asked to repair its answer, or for its last words, or hears what it was told",
  "child-warn": "a warning about a child",
  "child-end": "how the child ended",
  "text-delta": "a piece of an answer",
  "reasoning-delta": "a piece of the model's reasoning",
  "queue-move": "a child's place in the queue",
  "gate-wait": "a child waits until its provider's gate lets a request out",
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
