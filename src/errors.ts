/**
 * What can go wrong, as data. A `Failure` is decided once, at the wire; a `Problem` is found while planning, before
 * anything was spent; a `DeputyError` is a caller's mistake and is thrown. A plain `Error` means a bug in Deputy.
 */

/** Why a request failed. Decided once, where the provider's answer arrives (`child/wire/failure.ts`). */
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
 * Why a request or a child failed. Providers do not cause the last three: a bug in Deputy; an image that is not what was
 * planned; a provider or key that is no longer in the config.
 */
export const FAILURE_KINDS = [...PROVIDER_FAILURE_KINDS, "internal", "input-changed", "route-gone"] as const;
export type FailureKind = (typeof FAILURE_KINDS)[number];

/** The kind that interrupts a child: once the route is back, a resume continues it. */
export const ROUTE_GONE = "route-gone" satisfies FailureKind;

export type Failure = {
  kind: FailureKind;
  /** One or two sentences a person can act on. Never contains a key. */
  message: string;
  /** How long the provider asked us to wait, where it said so. */
  retryAfterMs?: number;
  httpStatus?: number;
  /** The same request cannot fare better on this route. */
  isLasting?: true;
};

/** What an error says of itself; anything can be thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The system's or a library's code for an error: `ENOENT`. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Longest part of an internal error's own message that is shown, in characters. */
const MAX_INTERNAL_QUOTE = 300;

/** What results, the journal and models get of a bug in Deputy: one line of its message. Its stack belongs in the error log. */
export function internalErrorText(error: unknown, redact: (text: string) => string): string {
  const [line = ""] = redact(errorMessage(error)).split("\n");
  return `Internal error in Deputy (${line.slice(0, MAX_INTERNAL_QUOTE)}). Please report it, with the stack from errors.log in the state directory.`;
}

/** What a plan can find wrong with one task. `PROBLEM_CODES` is what programs may branch on; `message` is for people. */
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
] as const;
export type ProblemCode = (typeof PROBLEM_CODES)[number];

export type Problem = {
  code: ProblemCode;
  /** The task field to change, e.g. `model`. */
  field: string;
  /** Expected, found, and what to do next. */
  message: string;
  /** Values that would have worked, nearest first. */
  suggestions: string[];
};

export type Warning = { code: string; message: string };

/** Codes of `DeputyError`, with the exit code the command line ends on. */
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
  "run-ended": 1,
  "question-closed": 1,
} as const satisfies Record<string, number>;
export type DeputyErrorCode = keyof typeof ERROR_EXIT;

/** A caller's mistake or an environment that cannot work. The message says what was expected, found, and what to do. */
export class DeputyError extends Error {
  readonly code: DeputyErrorCode;
  /** Structured details for programs, e.g. the problems of every task. */
  readonly details: unknown;

  constructor(code: DeputyErrorCode, message: string, options: { details?: unknown; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "DeputyError";
    this.code = code;
    this.details = options.details;
  }
}
