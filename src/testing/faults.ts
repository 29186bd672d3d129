/** Everything that can go wrong with a provider's answer, as data. A turn carries one; `fault-handlers.ts` plays it. */

/** The vendor says no, in its own words and with its own status. */
export type ErrorFault =
  /** 429. `retryAfter`: seconds, or a date; absent: the answer does not say. */
  | { kind: "rate-limited"; retryAfter?: number | Date }
  /** Money or a plan's allowance is used up. Default: as the vendor says it (429; Anthropic, without a reset, 400). */
  | { kind: "quota-exhausted"; status?: 400 | 402 | 429; resetsAt?: Date }
  /** Default: the vendor's own way to say overloaded (503, Anthropic 529). */
  | { kind: "overloaded"; status?: 500 | 502 | 503 | 504 | 529; retryAfter?: number | Date }
  /** Default: what the vendor answers to a wrong key (401; Gemini: 400). */
  | { kind: "unauthorized"; status?: 401 | 403 }
  | { kind: "model-missing" }
  | { kind: "context-overflow" }
  | { kind: "effort-unsupported" }
  | { kind: "parameter-unsupported"; parameter: string };

/** The answer itself goes wrong. `afterDeltas` counts pieces of it; 0 is after the head. Default 1. */
export type AnswerFault =
  /** `finish`: an end that says so. `message`: a refusal in words (OpenAI), a blocked prompt (Gemini). */
  | { kind: "refused"; as?: "finish" | "message" }
  | { kind: "reset-before-headers" }
  | { kind: "reset-mid-stream"; afterDeltas?: number }
  /** The connection ends cleanly, the answer does not. Default: after the last piece of it. */
  | { kind: "no-end"; afterDeltas?: number }
  /** Nothing for `ms` (default: for good), then the answer. Without `afterDeltas` before the headers. */
  | { kind: "silence"; ms?: number; afterDeltas?: number }
  /** An event that is no JSON among the others. */
  | { kind: "garbage"; afterDeltas?: number }
  /** The last tool call's arguments stop halfway. */
  | { kind: "half-tool-call" }
  | { kind: "html"; status?: number }
  /** A well-formed answer with nothing in it. */
  | { kind: "empty" }
  /** The stream says it failed. Default error: overloaded. */
  | { kind: "error-event"; afterDeltas?: number; error?: ErrorFault }
  | { kind: "invalid-utf8" }
  /** About so many bytes of text. */
  | { kind: "huge"; bytes: number }
  /** The answer, `bytes` (default 16) at a time. */
  | { kind: "slow-drip"; everyMs: number; bytes?: number }
  | { kind: "redirect"; location: string; status?: 301 | 302 | 303 | 307 | 308 }
  /** Anything else, word for word. */
  | { kind: "response"; status: number; body: string; headers?: Record<string, string> };

export type Fault = ErrorFault | AnswerFault;
