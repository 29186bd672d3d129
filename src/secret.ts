/**
 * Recognizes secrets, and holds keys that cannot be printed. A key belongs to one origin (scheme, host, port) and is
 * revealed to no other. `reveal` is called in exactly one place: where a request gets its auth headers
 * (`child/wire/transport.ts`).
 */
import { inspect } from "node:util";
import type { Failure, FailureKind } from "./errors.ts";

export class Secret {
  readonly #value: string;
  /** The variable or config path that it came from; safe to show. */
  readonly name: string;
  /** The only origin it may be sent to, e.g. `https://api.z.ai`. */
  readonly origin: string;

  constructor(value: string, name: string, origin: string) {
    this.#value = value;
    this.name = name;
    this.origin = origin;
  }

  /** The key itself, for a request to `origin`; throws for any other origin than its own. */
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

/** Words that name a secret wherever they occur, even joined to others: `PGPASSWORD`, `AUTHTOKEN`, `MY_SECRETS`. */
const TELLING = /password|passwd|passphrase|passcode|passkey|credential|secret(?!ar)|token(?!i[sz])|api_?key/i;

/** Words that name a secret only on their own: `MONKEY`, `PATH` and `AUTHOR` contain them too. */
const TELLING_ALONE =
  /(?<![a-z])(keys?|pass|pats?|creds?|jwts?|cookies?|dsns?|psks?|[th]?otp|pin|pw|sk|bearer|authorization|webhooks?|mnemonic|auth(?=$|[\W\d_]*$|_(config|header|data|json|basic)))(?![a-z])/i;

/** Word endings that name a secret: `SSHPASS`, `USERPWD`, `SIGNINGKEY`, but not `ASKPASS` or `HOTKEY`. */
const TELLING_END =
  /((?<!^(old)?)pwd|(?<=[a-z])(?<!ask|by|com|tres)pass|(?<=[a-z])(?<!mon|don|tur|hoc|joc|whis|hot|lac|turn|mic|less)key)s?(?![a-z])/i;

/**
 * Words that name a secret only if the value looks like one: `SALT=x9F2…`, but not `SALT=pinch` or
 * `PRIVATE_HOST=10.0.0.1`.
 */
const TELLING_WITH_VALUE = /(?<![a-z])(salt|pepper|oauth2?|private|p12|pfx|pkcs12|hmac|seed)(?![a-z])/i;
/** One word of eight characters or more with a digit or both cases; not a path, URL, host, address or list. */
const CREDENTIAL =
  /^(?![~./]|[a-z][\w+]*:\/\/|[\d.:]+$|[\w*-]+(\.[\w-]+)+(:\d+)?([/,]|$))(?=.*\d|(?=.*[a-z]).*[A-Z])[^\s,]{8,}$/;

/** `PASSWORD_STORE_DIR=/home/x/.store`: the location of secrets, not a secret. */
const PLACE = /(?<![a-z])(dir|directory|file|filename|folder|path|home|root)(?![a-z])/i;
const PATH = /^(~|\.{0,2}|[a-z]:)[/\\][\w@. /\\-]*$/i;
/** `SORT_KEY=created_at`, `PRIMARY_KEY=id`: the name of a column, not a secret. */
const COLUMN = /(?<![a-z])(sort|primary|foreign|partition|range|hash|group|unique|composite|order|join)[_-]?keys?$/i;
const IDENTIFIER = /^[a-z]{1,20}([_.,-][a-z]{1,20}){0,5}$/i;

/** `MAX_TOKENS=4096`, `TOKEN_TTL=15m`: a number that concerns secrets, not a secret. */
const MEASURE =
  /(?<![a-z])(max|min|num|limit|count|length|len|size|bits|budget|ttl|timeout|lifetime|expiry|age|days|hours|minutes|seconds|secs|ms|retries|interval|delay|rate|per)(?![a-z])/i;
const NUMBER = /^\d{1,9}(\.\d+)?[a-z]{0,3}$/i;
const SWITCH = /^(true|false|yes|no|on|off|[01]?)$/i;

/** Values that are or contain a secret regardless of the name. */
const SECRET_VALUES: readonly RegExp[] = [
  // A URL with a password (`postgres://user:pass@host`, but not a port before a path), or with a token as the user; the
  // scheme is optional.
  /:\/\/[^\s/:@[]*:(?!\d*(?:[/?#]|$))[^\s@]{1,500}@/,
  /:\/\/[\w-]{20,}@/,
  /^(?!mailto:)[^\s/:@]+:[^\s/@]+@[\w.-]+(:\d+)?(\/|$)/i,
  /\/\/hooks\.slack\.com\/services\/|\/api\/webhooks\/\d/,
  // Keys with a vendor's documented prefix.
  /(?<![\w/.-])(sk-|[rs]k_live_|[rs]k_test_|gsk_|xai-|tvly-|hf_|r8_|npm_|pypi-|dop_v1_|shp[a-z]{2}_|lin_api_|glpat-|gl[a-z]{2,5}-|SG\.)(?=[\w.-]*\d)[\w.-]{16,}/,
  /(?<![\w/.-])(gh[pousr]_\w{20,}|github_pat_\w{20,}|(AKIA|ASIA)[A-Z0-9]{16}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w-]{16,})/,
  /(?<![\w/.-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  // `password=…`, `"token": "…"`, `AccountKey=…`, `Authorization: Bearer …`, but not a reference (`$X`, a path).
  /(password|passwd|(?<!old)pwd|secret|token|(?:api|access|account|private|secret|signing|encryption|master|client)[_-]?key)["']?\s*[=:]\s*["']?[^\s"'&;,$%/{<]{4,}/i,
  /\b(bearer|basic)\s+[\w.~+/=-]{8,}/i,
];

/**
 * Returns whether a variable, header or similar holds a secret, judged by its name and value. This is the only such
 * check: no environment that a command can read contains what it finds.
 */
export function looksLikeSecret(name: string, value: string): boolean {
  if (SWITCH.test(value)) return false;
  if (SECRET_VALUES.some((shape) => shape.test(value))) return true;
  if (TELLING_WITH_VALUE.test(inWords(name)) && CREDENTIAL.test(value)) return true;
  return namesSecret(name) && !isAboutSecrets(name, value);
}

/**
 * Returns whether a text that should be a name, a model or a number may be a key: it looks like a secret, or it is as
 * random as one. Such a text is not shown.
 */
export function mayBeKey(text: string): boolean {
  return looksLikeSecret("", text) || (text.match(/[A-Za-z\d]{20,}/g) ?? []).some(isRandom);
}

/** A random text changes between small letters, capitals and digits all the time; a hash is not a key. */
function isRandom(run: string): boolean {
  if (/^([\da-f]{40}|[\da-f]{64})$/.test(run)) return false;
  return (run.match(/[a-z]+|[A-Z]+|\d+/g) ?? []).length > 6;
}

/** `text` with each word that may be a key replaced, for errors that quote what somebody wrote. */
export function withoutKeyLikes(text: string): string {
  return text.replace(/[^\s"'`()[\]{},;<>=]+/g, (word) => (mayBeKey(word) ? "[hidden: it may be a key]" : word));
}

/** The same warning or problem, without what may be a key in its message. */
export function withKeysHidden<Saying extends { message: string }>(saying: Saying): Saying {
  return { ...saying, message: withoutKeyLikes(saying.message) };
}

/** Returns whether name and value together describe a number, a location or a column that concerns secrets. */
function isAboutSecrets(name: string, value: string): boolean {
  const words = inWords(name);
  return (
    (MEASURE.test(words) && NUMBER.test(value)) ||
    (PLACE.test(words) && PATH.test(value)) ||
    (COLUMN.test(words) && IDENTIFIER.test(value))
  );
}

/** The check by name alone, for when there is no value yet. */
export function namesSecret(name: string): boolean {
  return [name, inWords(name)].some((each) => [TELLING, TELLING_ALONE, TELLING_END].some((words) => words.test(each)));
}

/** Separates the words of a name: `dbPassword` becomes `db_Password`. */
function inWords(name: string): string {
  return name.replace(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_");
}

/**
 * The header that carries a key: `Authorization: Bearer`, `x-api-key` (Anthropic), `x-goog-api-key` (Gemini) or
 * `api-key` (Azure) or `x-subscription-token` (Brave). A key that is a document with AWS credentials signs each request instead.
 */
export type KeyHeader = "authorization" | "x-api-key" | "x-goog-api-key" | "api-key" | "x-subscription-token";

/** Credentials of requests to one route: the key, unless the endpoint is keyless, and the operator's headers. */
export type Access = {
  key?: { secret: Secret; header: KeyHeader };
  headers: Record<string, string>;
  /** Removes every key that Deputy knows from a text of the response. */
  redact(text: string): string;
};

/** One of the provider's keys, leased for one request, or why none is available. The holder releases it. */
export type Lease = ({ access: Access } | { failure: Failure }) & {
  /** Name (never value) of the key; absent if none is needed. */
  keyName?: string;
  /** Returns the key and reports the request's failure, if any. */
  release(failure?: Failure): void;
  /**
   * What a failed request can expect after its key was released.
   * @param tried number of keys that failed the request before this one, in direct succession
   */
  availability(failure: Failure, tried: number): KeyAvailability;
};

/**
 * `another`: another key is available at once. Otherwise the milliseconds until one is, and the kind of failure that
 * blocks it; a failure unrelated to keys is returned as it is.
 */
export type KeyAvailability =
  | { another: true }
  /** `isTold`: the provider itself gave that time. */
  | { another: false; backInMs: number; kind: FailureKind; isTold?: boolean };
