/**
 * Requests access tokens from Google, with the signature of a service account or the refresh token of a user. The
 * credentials file is read for each request and not kept in memory.
 * Sources: https://developers.google.com/identity/protocols/oauth2/service-account and /web-server#offline
 */
import { createSign } from "node:crypto";
import type { Clock } from "../../clock.ts";
import { parseJson } from "../../text/parse-json.ts";
import { fieldsOf } from "../../values/record.ts";
import { type GoogleCredentials, googleCredentialsIn } from "./key-documents.ts";
import type { Brought } from "./key-source.ts";

/** Posts a form without following redirects. Rejects if there is no response. */
export type PostForm = (
  url: string,
  form: URLSearchParams,
  signal: AbortSignal,
) => Promise<{ status: number; text: string }>;

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";
/** The longest validity of a signed statement that Google accepts, in seconds. */
const STATEMENT_SECONDS = 3600;
/** A token is replaced this long before it expires, in milliseconds: a request may wait before it is sent. */
const EARLY_MS = 5 * 60_000;
/** Longest wait for a token, in milliseconds. */
const TIMEOUT_MS = 30_000;

/** @param name the variable that names the file, for messages */
export async function googleToken(
  { name, file }: { name: string; file: string },
  { clock, postForm }: { clock: Clock; postForm: PostForm },
  signal: AbortSignal,
): Promise<Brought> {
  const read = googleCredentialsIn(file.trim());
  if ("problem" in read) return { problem: `${name} (${read.problem}).` };
  const { credentials } = read;
  const host = new URL(credentials.tokenUrl).host;
  const timeout = new AbortController();
  const stopTimer = clock.after(TIMEOUT_MS, () => timeout.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
  try {
    const form = formOf(credentials, clock.now());
    const answer = await postForm(credentials.tokenUrl, form, AbortSignal.any([signal, timeout.signal]));
    return tokenIn(answer, `${host} gave no token for ${name}`);
  } catch (error) {
    const why = error instanceof Error ? error.message : "no reason given";
    return { problem: `${host} gave no token for ${name} (${why}).` };
  } finally {
    stopTimer();
  }
}

function tokenIn({ status, text }: { status: number; text: string }, otherwise: string): Brought {
  const { access_token: key, expires_in: seconds, error, error_description: words } = fieldsOf(parseJson(text));
  if (status === 200 && typeof key === "string" && key !== "")
    return { key, validMs: Math.max(0, (typeof seconds === "number" ? seconds : STATEMENT_SECONDS) * 1000 - EARLY_MS) };
  const said = [status, error, words].filter((word) => typeof word === "number" || typeof word === "string");
  return { problem: `${otherwise} (${said.join(": ").slice(0, 300)}).` };
}

function formOf(credentials: GoogleCredentials, now: number): URLSearchParams {
  if ("refreshToken" in credentials) {
    const { clientId, clientSecret, refreshToken } = credentials;
    const client = { client_id: clientId, client_secret: clientSecret };
    return new URLSearchParams({ grant_type: "refresh_token", refresh_token: refreshToken, ...client });
  }
  const assertion = statement(credentials, Math.floor(now / 1000));
  return new URLSearchParams({ grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer", assertion });
}

/** A JSON Web Token (RFC 7519), signed as RS256. */
function statement(account: Extract<GoogleCredentials, { email: string }>, now: number): string {
  const { email: iss, tokenUrl: aud, privateKey, keyId: kid } = account;
  const header = encoded({ alg: "RS256", typ: "JWT", kid });
  const claims = encoded({ iss, scope: SCOPE, aud, iat: now, exp: now + STATEMENT_SECONDS });
  const signature = createSign("RSA-SHA256").update(`${header}.${claims}`).sign(privateKey, "base64url");
  return `${header}.${claims}.${signature}`;
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString("base64url");
}
