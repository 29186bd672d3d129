/**
 * Keys with more than one value: AWS credentials, which sign each request, and Google's credentials files, which are
 * used to request tokens. Both are JSON. A problem never quotes their contents.
 */
import { nearnessOf } from "../../base-url.ts";
import { readForeignText } from "../../system/foreign-file.ts";
import type { Environment } from "../../template.ts";
import { parseJson } from "../../text/parse-json.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";
import type { KeyDocument } from "../catalog/built-in-providers.ts";
import { isEncrypted } from "../catalog/endpoints.ts";

/** Such a file holds some 2 KB. */
const MAX_BYTES = 64 * 1024;

/** Composes a key from several variables; a problem is the name of the missing one. */
export function documentOf(
  { secrets, optionalSecrets, settings }: KeyDocument,
  env: Environment,
): { text: string } | { problem: string } {
  const setValue = (name: string) => env[name]?.trim() || undefined;
  const missing = Object.values(secrets).find((name) => setValue(name) === undefined);
  if (missing !== undefined) return { problem: missing };
  const named = Object.entries({ ...secrets, ...optionalSecrets }).map(([field, name]) => [field, setValue(name)]);
  const set = Object.entries(settings).map(([field, names]) => [field, names.map(setValue).find(Boolean)]);
  return { text: JSON.stringify(Object.fromEntries([...named, ...set])) };
}

/** The secret values of a document, to redact each of them: a provider may repeat only one. */
export function secretsIn(text: string): string[] {
  return text.startsWith("{") ? Object.values(fieldsOf(parseJson(text))).filter(isLong) : [];
}

/** The secrets of AWS are longer than a region, and are not a time. */
const isLong = (value: unknown): value is string =>
  typeof value === "string" && value.length >= 16 && !/^\d{4}-/.test(value);

/** Credentials for requesting Google's tokens. https://google.aip.dev/auth/4112 and 4113 */
export type GoogleCredentials = { tokenUrl: string } & (
  | { email: string; privateKey: string; keyId?: string }
  | { clientId: string; clientSecret: string; refreshToken: string }
);

const GOOGLE_TOKEN_URL = "https://oauth2.googleapis.com/token";

/** Reads a credentials file of Google's. */
export function googleCredentialsIn(path: string): { credentials: GoogleCredentials } | { problem: string } {
  const file = readForeignText(path, { maxBytes: MAX_BYTES });
  if (file === undefined) return { problem: `there is no file ${path}` };
  if ("unreadable" in file) return { problem: `${path} cannot be read: ${file.unreadable}` };
  const fields = fieldsOf(parseJson(file.text));
  const text = (name: string) => (typeof fields[name] === "string" ? fields[name] : "");
  const tokenUrl = text("token_uri") || GOOGLE_TOKEN_URL;
  if (!URL.canParse(tokenUrl) || !(isEncrypted(tokenUrl) || nearnessOf(tokenUrl) === "loopback"))
    return { problem: `${path}: expected an https: URL as token_uri` };
  const [email, privateKey, keyId] = [text("client_email"), text("private_key"), text("private_key_id") || undefined];
  if (fields.type === "service_account" && email && privateKey)
    return { credentials: { tokenUrl, email, privateKey, ...present({ keyId }) } };
  const [clientId, clientSecret, refreshToken] = [text("client_id"), text("client_secret"), text("refresh_token")];
  if (fields.type === "authorized_user" && clientId && clientSecret && refreshToken)
    return { credentials: { tokenUrl, clientId, clientSecret, refreshToken } };
  return { problem: `${path}: expected Google credentials of the type service_account or authorized_user` };
}
