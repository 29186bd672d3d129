/**
 * A key that cannot be printed. It belongs to one origin (scheme, host, port) and is revealed to no other.
 * `reveal` is called in exactly one place: where a request is signed (`child/transport.ts`).
 */
import { inspect } from "node:util";
import type { Failure, FailureKind } from "./errors.ts";

export class Secret {
  readonly #value: string;
  /** What people may see of it: the variable or config path it came from. */
  readonly name: string;
  /** The only origin it may be sent to, e.g. `https://api.z.ai`. */
  readonly origin: string;

  constructor(value: string, name: string, origin: string) {
    this.#value = value;
    this.name = name;
    this.origin = origin;
  }

  /** The key itself, for a request to `origin`; throws for any origin but its own. */
  reveal(origin: string): string {
    if (origin !== this.origin)
      throw new Error(`The key ${this.name} belongs to ${this.origin} and was asked for by ${origin}.`);
    return this.#value;
  }

  /** `text` with every occurrence of the key replaced by `[secret NAME]`. */
  redact(text: string): string {
    return text.replaceAll(this.#value, `[secret ${this.name}]`);
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

/** How a key is shown to a provider: `Authorization: Bearer`, `x-api-key` (Anthropic) or `x-goog-api-key` (Gemini). */
export type KeyHeader = "authorization" | "x-api-key" | "x-goog-api-key";

/** What a request to one route carries beside its body: the key, unless the endpoint is keyless, and the operator's headers. */
export type Access = {
  key?: { secret: Secret; header: KeyHeader };
  headers: Record<string, string>;
  /** A text of the answer without any key Deputy knows. */
  redact(text: string): string;
};

/** What one request is lent of its provider's keys, or why none could be had. Whoever takes it gives it back. */
export type Lease = ({ access: Access } | { failure: Failure }) & {
  /** Name (never value) of the key; absent where none is needed. */
  keyName?: string;
  /** Gives the key back, and tells what came of the request: nothing where it was answered. */
  release(failure?: Failure): void;
  /**
   * What a request that failed may hope for, once its key was given back.
   * @param tried keys that failed it before this one, one right after the other
   */
  left(failure: Failure, tried: number): KeysLeft;
};

/**
 * `another`: a key that may be asked at once. Else the milliseconds until one may be asked again, and the kind of
 * failure that keeps it: after a failure that no key has to do with, that one itself.
 */
export type KeysLeft =
  | { another: true }
  /** `isTold`: the provider itself named that time. */
  | { another: false; backInMs: number; kind: FailureKind; isTold?: boolean };
