/**
 * What a secret looks like, and a key that cannot be printed. A key belongs to one origin (scheme, host, port) and is revealed to no other.
 * `reveal` is called in exactly one place: where a request is signed (`child/wire/transport.ts`).
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

/** Words that name a secret wherever they occur, also glued to others: `PGPASSWORD`, `AUTHTOKEN`, `MY_SECRETS`. */
const TELLING = /password|passwd|passphrase|passcode|passkey|credential|secret(?!ar)|token(?!i[sz])|api_?key/i;

/** Words that name a secret only on their own: `MONKEY`, `PATH` and `AUTHOR` hold others. */
const TELLING_ALONE =
  /(?<![a-z])(keys?|pass|pats?|creds?|jwts?|cookies?|dsns?|psks?|[th]?otp|pin|pw|sk|bearer|authorization|webhooks?|mnemonic|auth(?=$|[\W\d_]*$|_(config|header|data|json|basic)))(?![a-z])/i;

/** The ends of words that name a secret: `SSHPASS`, `USERPWD`, `SIGNINGKEY`, but not `ASKPASS` or `HOTKEY`. */
const TELLING_END =
  /((?<!^(old)?)pwd|(?<=[a-z])(?<!ask|by|com|tres)pass|(?<=[a-z])(?<!mon|don|tur|hoc|joc|whis|hot|lac|turn|mic|less)key)s?(?![a-z])/i;

/** Words that name a secret only with a value like one: `SALT=x9F2…`, but not `SALT=pinch` or `PRIVATE_HOST=10.0.0.1`. */
const TELLING_WITH_VALUE = /(?<![a-z])(salt|pepper|oauth2?|private|p12|pfx|pkcs12|hmac|seed)(?![a-z])/i;
/** One word of eight characters or more with a digit or both cases: no path, URL, host, address or list. */
const CREDENTIAL =
  /^(?![~./]|[a-z][\w+]*:\/\/|[\d.:]+$|[\w*-]+(\.[\w-]+)+(:\d+)?([/,]|$))(?=.*\d|(?=.*[a-z]).*[A-Z])[^\s,]{8,}$/;

/** `PASSWORD_STORE_DIR=/home/x/.store`: where secrets are, not one of them. */
const PLACE = /(?<![a-z])(dir|directory|file|filename|folder|path|home|root)(?![a-z])/i;
const PATH = /^(~|\.{0,2}|[a-z]:)[/\\][\w@. /\\-]*$/i;
/** `SORT_KEY=created_at`, `PRIMARY_KEY=id`: the name of a column, not a secret. */
const COLUMN = /(?<![a-z])(sort|primary|foreign|partition|range|hash|group|unique|composite|order|join)[_-]?keys?$/i;
const IDENTIFIER = /^[a-z]{1,20}([_.,-][a-z]{1,20}){0,5}$/i;

/** `MAX_TOKENS=4096`, `TOKEN_TTL=15m`: a number about secrets, not one of them. */
const MEASURE =
  /(?<![a-z])(max|min|num|limit|count|length|len|size|bits|budget|ttl|timeout|lifetime|expiry|age|days|hours|minutes|seconds|secs|ms|retries|interval|delay|rate|per)(?![a-z])/i;
const NUMBER = /^\d{1,9}(\.\d+)?[a-z]{0,3}$/i;
const SWITCH = /^(true|false|yes|no|on|off|[01]?)$/i;

/** Values that are, or contain, a secret whatever they are called. */
const SECRET_VALUES: readonly RegExp[] = [
  // A URL with a password (`postgres://user:pass@host`; a port before a path is none), or with a token for a user; the scheme may be missing.
  /:\/\/[^\s/:@[]*:(?!\d*(?:[/?#]|$))[^\s@]{1,500}@/,
  /:\/\/[\w-]{20,}@/,
  /^(?!mailto:)[^\s/:@]+:[^\s/@]+@[\w.-]+(:\d+)?(\/|$)/i,
  /\/\/hooks\.slack\.com\/services\/|\/api\/webhooks\/\d/,
  // Keys by the prefix that their vendors gave them, so that they are found.
  /(?<![\w/.-])(sk-|[rs]k_live_|[rs]k_test_|gsk_|xai-|tvly-|hf_|r8_|npm_|pypi-|dop_v1_|shp[a-z]{2}_|lin_api_|glpat-|gl[a-z]{2,5}-|SG\.)(?=[\w.-]*\d)[\w.-]{16,}/,
  /(?<![\w/.-])(gh[pousr]_\w{20,}|github_pat_\w{20,}|(AKIA|ASIA)[A-Z0-9]{16}|xox[a-z]-[\w-]{10,}|xapp-[\w-]{10,}|AIza[\w-]{30,}|ya29\.[\w-]{16,})/,
  /(?<![\w/.-])eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
  // `password=…`, `"token": "…"`, `AccountKey=…`, `Authorization: Bearer …`; a reference (`$X`, a path) is none.
  /(password|passwd|(?<!old)pwd|secret|token|(?:api|access|account|private|secret|signing|encryption|master|client)[_-]?key)["']?\s*[=:]\s*["']?[^\s"'&;,$%/{<]{4,}/i,
  /\b(bearer|basic)\s+[\w.~+/=-]{8,}/i,
];

/**
 * Whether a variable, header or the like holds a secret, judged by its name and by its value. The only such judgement:
 * what it finds is in no environment that a command can read.
 */
export function looksLikeSecret(name: string, value: string): boolean {
  if (SWITCH.test(value)) return false;
  if (SECRET_VALUES.some((shape) => shape.test(value))) return true;
  if (TELLING_WITH_VALUE.test(inWords(name)) && CREDENTIAL.test(value)) return true;
  return namesSecret(name) && !isAboutSecrets(name, value);
}

/** Whether name and value together tell of a number, a place or a column that has to do with secrets. */
function isAboutSecrets(name: string, value: string): boolean {
  const words = inWords(name);
  return (
    (MEASURE.test(words) && NUMBER.test(value)) ||
    (PLACE.test(words) && PATH.test(value)) ||
    (COLUMN.test(words) && IDENTIFIER.test(value))
  );
}

/** The judgement by name alone, where there is no value yet. */
export function namesSecret(name: string): boolean {
  return [name, inWords(name)].some((each) => [TELLING, TELLING_ALONE, TELLING_END].some((words) => words.test(each)));
}

/** `dbPassword` as `db_Password`. */
function inWords(name: string): string {
  return name.replace(/([a-z\d])(?=[A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$2_");
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
  availability(failure: Failure, tried: number): KeyAvailability;
};

/**
 * `another`: a key that may be asked at once. Else the milliseconds until one may be asked again, and the kind of
 * failure that keeps it: after a failure that no key has to do with, that one itself.
 */
export type KeyAvailability =
  | { another: true }
  /** `isTold`: the provider itself named that time. */
  | { another: false; backInMs: number; kind: FailureKind; isTold?: boolean };
