/** Explanations of every failure kind, code, event and fault. A new one does not compile until it is explained here. */
import type { DeputyErrorCode, FailureKind, ProblemCode } from "../../src/errors.ts";
import type { EventKind } from "../../src/event.ts";
import type { Fault } from "../../src/testing/faults.ts";

/** Parts of a code's message (as in the source), its meaning, and what to do. */
export type Explained = { says: readonly string[]; means: string; todo: string };

export const FAILURES: Record<FailureKind, Explained> = {
  "rate-limited": {
    says: ["limits the rate of requests"],
    means: "429, or the stream reports too many requests",
    todo: "Usually nothing: Deputy retries. Otherwise set `requests_per_minute`, add a second key, or declare a fallback.",
  },
  "quota-exhausted": {
    says: ["says its quota or credit is used up"],
    means:
      "402; or the provider says that the credit, or the allowance of a day or a longer time, is used up; or it limits the rate for more than ten minutes",
    todo: "Top up, declare a fallback, or wait for the reset: `delegation.on_quota: pause`.",
  },
  overloaded: {
    says: ["is overloaded or failing"],
    means: "5xx, or the stream reports that the provider is overloaded or failing",
    todo: "Run the task again later, or declare a fallback at another provider.",
  },
  network: {
    says: ["cannot be reached or closed the connection"],
    means: "no connection, a reset, a host name that does not resolve, a TLS error; 408 and 425",
    todo: "Check the address, the proxy (the message names the one in use; set `NO_PROXY` for local endpoints) and the certificates (`NODE_EXTRA_CA_CERTS`).",
  },
  stalled: {
    says: ["was silent for", "sent signs of life but no content for"],
    means: "nothing arrived for `delegation.stall_seconds`",
    todo: "For a slow model, raise `delegation.stall_seconds`.",
  },
  unauthorized: {
    says: [
      "does not accept the key",
      "does not let this key do that",
      "sent a web page instead of an answer of its API",
    ],
    means:
      "401, 403, or the provider says that the key is wrong. A web page with another status has the kind of its status",
    todo: "`deputy doctor` shows which variable the key came from, and `deputy doctor --online` whether it is accepted. If the key may not use this model, choose another model or another key. A web page comes from a firewall, a proxy or a login page in front of the endpoint: check `base_url` and the network.",
  },
  "context-overflow": {
    says: ["says the text is longer than the model's context window", "does not allow a request of this size"],
    means:
      "413; or the provider says that the conversation is longer than the context window, or that one request is larger than its allowance of a minute",
    todo: "Split the task, or run it on a model with a longer window. For an allowance, raise the limit with the provider.",
  },
  refused: {
    says: ["refused to answer"],
    means: "451; or a content filter, or the model's provider, refused to answer",
    todo: "Rephrase the task, or declare a fallback at another vendor.",
  },
  "invalid-request": {
    says: ["does not accept the request", "which is not followed: keys stay with their own origin"],
    means: "any other 4xx, or a redirect: the provider does not accept the request",
    todo: "The message contains the provider's reason, often a wrong model id. With “Check base_url”, the server has nothing at the address that the message names: most base URLs end in `/v1`. After a redirect, set `base_url` to the real address.",
  },
  "malformed-response": {
    says: ["sent an answer that cannot be read", "the answer is empty"],
    means: "HTML, invalid JSON, an empty or incomplete answer, or one over 16 MB",
    todo: "Look for a proxy that returns a web page, and check `base_url` and `api_mode`.",
  },
  "served-mismatch": {
    says: ["its response names"],
    means: "the response names another model, and `delegation.on_served_mismatch` is `fail`",
    todo: "Use the model that the provider names, or set `delegation.on_served_mismatch: warn`.",
  },
  aborted: {
    says: ["was aborted"],
    means: "Deputy aborted the request: a stop, or the child's timeout",
    todo: "`deputy resume ID` continues what was stopped.",
  },
  internal: {
    says: ["Internal error in Deputy"],
    means: "a bug in Deputy",
    todo: "Report it with the entry in `errors.log` in the state directory.",
  },
  "input-changed": {
    says: ["changed after the task was planned", "can no longer be read", "is no longer in the journal"],
    means: "an image or file of the task changed or disappeared after the task was planned",
    todo: "Restore it, or run the task again.",
  },
  "route-gone": {
    says: ["is no longer configured", "No key:"],
    means:
      "the provider, its endpoint or its key is no longer in the config, or its `api_key_command` printed no key. The child is `interrupted`",
    todo: "Restore the entry or the key, or repair the command, then `deputy resume ID`.",
  },
  "setup-failed": {
    says: ["Its working copy could not be", "isolation_setup failed"],
    means: "the child's [working copy](isolation.md) could not be made, or `isolation_setup` failed in it",
    todo: "Repair what the message names, then `deputy retry ID`.",
  },
};

export const PROBLEMS: Record<ProblemCode, Explained> = {
  "unknown-model": {
    says: ["Expected one model id and at most", "it has no default", "is known to serve; found none"],
    means: "the model string is invalid, or no model is set and the provider has no default",
    todo: "Use a model that `deputy models` lists, or set `providers.*.default_model`.",
  },
  "unknown-provider": {
    says: ["Expected a provider Deputy knows"],
    means: "neither a built-in provider nor one of yours has this name",
    todo: "Use one from the [table](models-and-providers.md#providers), or configure an endpoint under `providers:`.",
  },
  "unsupported-provider": {
    says: ["Deputy does not support"],
    means: "other tools know this provider, but Deputy does not support it",
    todo: "Use the one that the message suggests.",
  },
  "unknown-alias": {
    says: ["Expected a model, a family or one of your aliases", "found a circle under"],
    means: "the name looks like an alias but is not one, or aliases refer to each other in a circle",
    todo: "Correct the name, or list the model under the provider's `models`.",
  },
  "ambiguous-route": {
    says: ["nothing names one, and several have a key", "Name one of them"],
    means: "no provider is set and several have a key, or a family alias matches several models",
    todo: "Set `provider` in the task or the config, or use `--provider`. For a family, use the model's id.",
  },
  "conflicting-route": {
    says: ["with a provider before a colon", "Remove one of them", "are the same provider"],
    means: "conflicting providers or efforts in the same place, or a provider before a colon",
    todo: "Set each value only once: write `MODEL --provider NAME`, or use the field `provider`.",
  },
  "missing-key": {
    says: ["No key for", "Expected a provider with a key", "cannot be used:"],
    means: "no usable key; the message lists every place where Deputy looked",
    todo: "Set one of those. If a key was found but not used, the message says why in brackets. See [keys](models-and-providers.md#keys-and-their-origins).",
  },
  "foreign-model": {
    says: ["which another provider makes"],
    means: "the model is known to come from a maker that this provider does not serve",
    todo: "Use the provider that serves the model, as the message suggests.",
  },
  "effort-unsupported": {
    says: ["after --effort; found"],
    means: "the model does not accept this effort; the message lists those it accepts",
    todo: "Use one of those, or remove the effort.",
  },
  "denied-by-policy": {
    says: ["Expected a route that the user lets a model choose"],
    means: "a model made a choice that `delegation.allow` and `delegation.deny` do not permit",
    todo: "The model reads what is allowed and can try again. Or change the [policy](models-and-providers.md#what-a-model-may-choose).",
  },
  "toolset-unavailable": {
    says: ["Expected toolsets out of", "because toolsets are named"],
    means: "the toolset does not exist, `delegation.toolsets` does not allow it, or the model cannot call tools",
    todo: "Use those that the message lists, or another model.",
  },
  "role-unavailable": {
    says: ["Expected role: leaf", "because an orchestrator delegates with one"],
    means: "`role: orchestrator` exceeds `delegation.max_spawn_depth`, or the model cannot call tools",
    todo: "Raise `delegation.max_spawn_depth`, or remove `role`.",
  },
  "context-too-large": {
    says: ["the context window of"],
    means:
      "the first request is longer than the model's context window: the task's texts, or what Deputy adds to them (prompt, notes, skills, tools; a low estimate)",
    todo: "Put the text into a file in the workspace, or shorten it. Otherwise choose a model with a larger window, or fewer toolsets.",
  },
  "unknown-price": {
    says: ["Expected a known price for"],
    means: "a budget is set, but the model's price is unknown",
    todo: "Set the price in the config, or set `delegation.allow_unknown_price: true`.",
  },
  "budget-too-small": {
    says: ["Expected a budget of at least"],
    means: "the budget cannot pay for a single request to the model",
    todo: "Raise `max_cost_usd`, or use a cheaper model.",
  },
  "workspace-unusable": {
    says: ["Expected a directory at", "Expected a directory in the caller's workspace"],
    means: "the workspace is not a directory, or a model may not choose it",
    todo: "Correct `workspace` (relative to the working directory), or add the directory to `extra_dirs`.",
  },
  "hook-failed": {
    says: ["The program's routing hook did not choose"],
    means: "the program's routing hook threw, or returned an invalid choice",
    todo: "Fix the program's `route`.",
  },
  "unknown-agent": {
    says: ["Expected the name of an agent definition"],
    means: "no agent definition has this name",
    todo: "Use one that the message or `deputy agents` lists.",
  },
  "image-unusable": {
    says: ["expected a PNG, JPEG, GIF or WebP by its first bytes", "expected at most"],
    means: "an image is missing, outside the workspace, too large, or not a PNG, JPEG, GIF or WebP",
    todo: "See [images](delegation.md#images) for what is accepted.",
  },
  "file-unusable": {
    says: ["expected a file that may be read", "expected text", "bytes together"],
    means: "a file of the task is missing, outside the workspace, protected, too large, or not text",
    todo: "See [files](delegation.md#files) for what is accepted.",
  },
  "isolation-unavailable": {
    says: ["A working copy of its own is impossible"],
    means: "the child was to work in a [copy of its own](isolation.md), and none can be made; it never runs in place",
    todo: "Repair what the message names, or set `isolation: none` for the task.",
  },
  "images-unsupported": {
    says: ["Expected a model that accepts images"],
    means: "the model does not accept images, or its API does not accept this form of image",
    todo: "Use a model that the message lists, or set `vision` if Deputy is wrong.",
  },
};

export const ERRORS: Record<DeputyErrorCode, Explained> = {
  usage: {
    says: ["There is no command"],
    means: "an unknown or invalid command, flag or argument",
    todo: "Add `--help` to a command to see its flags and examples.",
  },
  "config-invalid": {
    says: ["in a project file that is not trusted"],
    means: "a config file or variable is invalid; the message lists every mistake with line and column",
    todo: "Correct it; see [every key](configuration.md#every-key). For a project's file, read it, then run `deputy config trust`.",
  },
  "input-unreadable": {
    says: ["There is no file", "Expected tasks as YAML, JSON or JSON lines"],
    means: "the task file is missing, empty, not text, or not YAML or JSON",
    todo: "Correct the path or the file.",
  },
  "task-invalid": {
    says: ["Unknown field", "Expected a task"],
    means: "the tasks contain mistakes; the message lists each with its line, task index and field",
    todo: "Correct them; see [every field](delegation.md#fields).",
  },
  "output-unwritable": {
    says: ["Cannot write results to"],
    means: "`--output` or a config is not writable; nothing was started",
    todo: "Choose another location.",
  },
  "nothing-to-run": {
    says: ["No task can start:", "Nothing was started, because not all can:"],
    means: "no task can start, or with `--strict` not all can; the message lists every problem",
    todo: "See [the problems](#problems-found-before-the-start).",
  },
  "out-of-resources": {
    says: ["Ask for less at once, and try again."],
    means: "the process or the system has run out of file descriptors, processes or memory",
    todo: "Raise the limit (`ulimit -n`, `ulimit -u`), lower `--concurrency`, or close other programs.",
  },
  "journal-unusable": {
    says: ["is not a journal, or is damaged", "for writing"],
    means: "the journal cannot be opened, read or written",
    todo: "See [the journal](runs.md#the-journal).",
  },
  "journal-full": {
    says: ["cannot grow"],
    means: "the disk with the journal is full; acknowledged work is kept",
    todo: "Free disk space, then run `deputy resume ID`.",
  },
  "run-unknown": {
    says: ["There is no run", "Expected the id of a run"],
    means: "no run has an id that begins like this, or several do",
    todo: "`deputy runs` lists them.",
  },
  "run-owned": {
    says: ["is active in process"],
    means: "another live process is working on the run",
    todo: "`deputy watch ID` shows it, `deputy stop ID` stops it.",
  },
  "run-newer": {
    says: ["was written by a newer Deputy"],
    means: "the run names a later journal format, or contains a kind of event that this Deputy does not know",
    todo: "Update Deputy, or use the version that wrote the run. `deputy runs` lists all other runs.",
  },
  "run-ended": {
    says: ["cannot receive messages"],
    means: "the message is for a child that has ended",
    todo: "`deputy show ID.n` shows its answer. Start a new task to continue from there.",
  },
  "question-closed": {
    says: ["its last request was"],
    means: "the decision is for an approval request that is not open",
    todo: "`deputy approve` lists the pending requests.",
  },
  "branch-unavailable": {
    says: ["cannot be applied", "does not exist any more"],
    means: "a child has no branch to show or apply, or git cannot do it",
    todo: "`deputy show ID.n` names its branch. Only tasks with `isolation: worktree` have one.",
  },
};

export const EVENTS: Record<EventKind, string> = {
  "delegation-start": "the request and the plan of each task; the first event of a run",
  "image-add": "the bytes of an image, stored once; other events contain only its hash",
  "file-add": "the text of a task's file, stored once",
  "tool-list-add": "tools as requests offer them, stored once; `step-start` contains only the list's hash",
  "delegation-resume": "a process continues the run; lists changed routes and children that cannot continue",
  "stop-request": "someone asked one child or all children to stop",
  "steer-request": "someone sent a message to a child",
  "approval-answer": "someone decided on a child's approval request elsewhere",
  "call-close": "an MCP client received the result of its call, or canceled it; the same call then starts a new run",
  "conflict-check": "the children's branches were compared: the pairs that do not merge, with files and lines",
  "branch-apply": "the work of a child was applied to a working tree or a new branch",
  "delegation-charge": "usage so far of a delegation that the child made",
  "delegation-end": "all children have ended",
  "child-start": "a child starts; contains its prompts",
  "attempt-start": "a child starts on a route: 0 is the requested one, n the nth fallback",
  "step-start": "a model request is about to be sent; contains the hash of its body and the amount reserved in budgets",
  "step-end": "the model's complete answer with usage, cost and time",
  "step-fail": "a request failed; contains the failure, the partial answer and the next action",
  "compact-start": "a level of a compaction is about to start; with a model, contains the amount reserved in budgets",
  "compact-end":
    "the conversation was made shorter: which results became stubs, or the text that stands for older steps",
  "pause-start": "a child sleeps until its provider's quota resets; repeated after a crash",
  "pause-end": "the child continues",
  "approval-ask": "a tool call needs approval",
  "approval-end": "the decision: approved or denied, by whom, and why",
  "tool-start": "a tool call is about to run; `sandboxed`: whether a command runs in the sandbox",
  "tool-end": "the outcome of a tool call: text for the model, changed files",
  "message-add": "the child got a message: a repair request, a wrap-up request or a steering message",
  "child-warn": "a warning about a child",
  "worktree-add": "the child's own working copy is there: its path, its branch and the commit it starts from",
  "worktree-save": "the child's work is on its branch: the newest commit and the changed files; or the reason why not",
  "child-end": "how the child ended",
  "text-delta": "a chunk of an answer",
  "reasoning-delta": "a chunk of the model's reasoning",
  "queue-move": "a child's position in the queue",
  "gate-wait": "a child waits for its provider's rate limiter",
  "budget-wait": "a child waits for money that other children have reserved",
  "retry-wait": "a child waits before a retry",
};

export const FAULTS: Record<Fault["kind"], string> = {
  "rate-limited": "429, with `retryAfter` in seconds or as a date",
  "quota-exhausted": "the credit or allowance is used up; `status`, `resetsAt`",
  overloaded: "503 (Anthropic: 529); `status`, `retryAfter`",
  unauthorized: "the vendor's response to a wrong key; `status`",
  "model-missing": "the vendor's response to an unknown model",
  "context-overflow": "the vendor's response to a prompt that is too long",
  "effort-unsupported": "the vendor's response to an effort that the model does not accept",
  "parameter-unsupported": "the same for an arbitrary `parameter`",
  refused: "a content filter: `as` a `finish`, a `message` or an `error`",
  "reset-before-headers": "the connection is reset before anything is sent",
  "reset-mid-stream": "the connection is reset; `afterDeltas`",
  "no-end": "the connection closes before the answer ends; `afterDeltas`",
  silence: "nothing is sent for `ms`, or ever again; `afterDeltas`",
  garbage: "an event that is not JSON; `afterDeltas`",
  "half-tool-call": "the arguments of the last tool call are truncated",
  html: "a web page instead of an answer; `status`",
  empty: "a well-formed but empty answer",
  "error-event": "the stream reports an error; `afterDeltas`, `error`",
  "invalid-utf8": "bytes that are not UTF-8",
  huge: "an answer of about `bytes` bytes",
  "slow-drip": "the answer arrives `bytes` at a time, `everyMs`",
  redirect: "a redirect to `location`; `status`",
  response: "any other response, verbatim: `status`, `body`, `headers`",
};
