/**
 * Everything that can go wrong with a provider's response, as data. A turn contains one; `fault-handlers.ts` injects
 * it.
 */

/** The vendor rejects the request, with its own words and status. */
export type ErrorFault =
  /** 429. `retryAfter`: seconds, or a date; absent: not in the response. */
  | { kind: "rate-limited"; retryAfter?: number | Date }
  /** Money or a plan's quota is exhausted. Default: the vendor's own status (429; Anthropic, without a reset, 400). */
  | { kind: "quota-exhausted"; status?: 400 | 402 | 429; resetsAt?: Date }
  /** Default: the vendor's own status for overload (503, Anthropic 529). */
  | { kind: "overloaded"; status?: 500 | 502 | 503 | 504 | 529; retryAfter?: number | Date }
  /** Default: the vendor's response to a wrong key (401; Gemini: 400). */
  | { kind: "unauthorized"; status?: 401 | 403 }
  | { kind: "model-missing" }
  | { kind: "context-overflow" }
  | { kind: "effort-unsupported" }
  | { kind: "parameter-unsupported"; parameter: string };

/** The response itself goes wrong. `afterDeltas` counts pieces of it; 0 is after the head. Default 1. */
export type AnswerFault =
  /**
   * `finish`: a finish reason that says so. `message`: a refusal as text (OpenAI), a blocked prompt (Gemini). `error`: an
   * error of the vendor's inspection.
   */
  | { kind: "refused"; as?: "finish" | "message" | "error" }
  | { kind: "reset-before-headers" }
  | { kind: "reset-mid-stream"; afterDeltas?: number }
  /** The connection closes cleanly before the answer ends. Default: after its last piece. */
  | { kind: "no-end"; afterDeltas?: number }
  /** Sends nothing for `ms` (default: forever), then the response. Without `afterDeltas`, before the headers. */
  | { kind: "silence"; ms?: number; afterDeltas?: number }
  /** Inserts an event that is not JSON. */
  | { kind: "garbage"; afterDeltas?: number }
  /** The last tool call's arguments stop halfway. */
  | { kind: "half-tool-call" }
  | { kind: "html"; status?: number }
  /** A well-formed but empty answer. */
  | { kind: "empty" }
  /** The stream reports a failure. Default error: overloaded. */
  | { kind: "error-event"; afterDeltas?: number; error?: ErrorFault }
  | { kind: "invalid-utf8" }
  /** Sends about this many bytes of text. */
  | { kind: "huge"; bytes: number }
  /** Sends the response, `bytes` (default 16) at a time. */
  | { kind: "slow-drip"; everyMs: number; bytes?: number }
  | { kind: "redirect"; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** Any other response, verbatim. */
  | { kind: "response"; status: number; body: string; headers?: Record<string, string> };

export type Fault = ErrorFault | AnswerFault;
