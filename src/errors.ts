/**
 * Errors as data. A `Failure` is classified once, at the wire; a `Problem` is found while planning, before anything was
 * spent; a `DeputyError` is a caller's mistake and is thrown. A plain `Error` means a bug in Deputy.
 */

/** Why a request failed. Classified once, where the provider's response arrives (`child/wire/failure/failure.ts`). */
const PROVIDER_FAILURE_KINDS = [
  "rate-limited",
  "quota-exhausted",
  "overloaded",
  "network",
  "stalled",
  "unauthorized",
  "context-overflow",
  "refused",
  "invalid-request",
  "malformed-response",
  "served-mismatch",
  "aborted",
] as const;
export type ProviderFailureKind = (typeof PROVIDER_FAILURE_KINDS)[number];

/**
 * Why a request or a child failed. The last four are not caused by providers: a bug in Deputy, an image or file that
 * changed after planning, a provider or key that is no longer in the config, and a working copy that could not be made
 * or set up.
 */
export const FAILURE_KINDS = [
  ...PROVIDER_FAILURE_KINDS,
  "internal",
  "input-changed",
  "route-gone",
  "setup-failed",
] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The kind that interrupts a child: a resume continues it once the route is back. */
export const ROUTE_GONE = "route-gone" satisfies FailureKind;

export type Failure = {
  kind: FailureKind;
  /** One or two actionable sentences. Never contains a key. */
  message: string;
  /** The wait that the provider asked for, if any. */
  retryAfterMs?: number;
  httpStatus?: number;
  /** Retrying the same request on this route cannot succeed. */
  isLasting?: true;
};

/** The message of an error; anything can be thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The error code of the system or a library, such as `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Maximum length of the quoted message of an internal error, in characters. */
const MAX_INTERNAL_QUOTE = 300;

/**
 * The description of a bug in Deputy for results, the journal and models: one line of its message. Its stack is written
 * to the error log only.
 */
export function internalErrorText(error: unknown, redact: (text: string) => string): string {
  const [line = ""] = redact(errorMessage(error)).split("\n");
  return `Internal error in Deputy (${line.slice(0, MAX_INTERNAL_QUOTE)}). Please report it, with the stack from errors.log in the state directory.`;
}

/** Problems that planning can find in one task. Programs may branch on `PROBLEM_CODES`; `message` is for people. */
export const PROBLEM_CODES = [
  "unknown-model",
  "unknown-provider",
  "unsupported-provider",
  "unknown-alias",
  "ambiguous-route",
  "conflicting-route",
  "missing-key",
  "foreign-model",
  "effort-unsupported",
  "denied-by-policy",
  "toolset-unavailable",
  "role-unavailable",
  "context-too-large",
  "unknown-price",
  "budget-too-small",
  "workspace-unusable",
  "hook-failed",
  "unknown-agent",
  "image-unusable",
  "images-unsupported",
  "file-unusable",
  "isolation-unavailable",
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export type Problem = {
  code: ProblemCode;
  /** The task field to change, e.g. `model`. */
  field: string;
  /** Says what was expected, what was found, and what to do next. */
  message: string;
  /** Valid values, nearest first. */
  suggestions: string[];
};

export type Warning = { code: string; message: string };

/** The warning for a known key in a text that would have been sent or stored. */
export function keyRemoved(place: string): Warning {
  const message = `${place} contains a known API key. Deputy replaced it with its name and neither sent nor stored it.`;
  return { code: "key-removed", message };
}

/** Codes of `DeputyError`, each with the exit code of the command line. */
export const ERROR_EXIT = {
  usage: 2,
  "config-invalid": 2,
  "input-unreadable": 2,
  "task-invalid": 2,
  "output-unwritable": 2,
  "nothing-to-run": 3,
  "out-of-resources": 3,
  "journal-unusable": 3,
  "journal-full": 1,
  "run-unknown": 2,
  "run-owned": 3,
  "run-newer": 3,
  "run-ended": 1,
  "question-closed": 1,
  "branch-unavailable": 1,
} as const satisfies Record<string, number>;
export type DeputyErrorCode = keyof typeof ERROR_EXIT;

/**
 * A caller's mistake or an unusable environment. The message says what was expected, what was found, and what to do.
 */
export class DeputyError extends Error {
  readonly code: DeputyErrorCode;
  /** Structured details for programs, such as the problems of every task. */
  readonly details: unknown;

  constructor(code: DeputyErrorCode, message: string, options: { details?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DeputyError";
    this.code = code;
    this.details = options.details;
  }
}
