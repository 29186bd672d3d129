/**
 * AWS Signature Version 4, which a request carries instead of the key. Used for Amazon Bedrock only.
 * Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
import { createHash, createHmac } from "node:crypto";
import { parseJson } from "../../text/parse-json.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";

/** As `aws configure export-credentials --format process` prints them; `Region` is Deputy's. */
export type AwsCredentials = { accessKeyId: string; secretAccessKey: string; sessionToken?: string; region?: string };

export type SignedRequest = { url: URL; init: Pick<RequestInit, "method" | "body">; headers: Record<string, string> };

const ALGORITHM = "AWS4-HMAC-SHA256";
const SERVICE = "bedrock";
const DEFAULT_REGION = "us-east-1";

/** The credentials in a key; undefined for a key that is sent as it is. */
export function awsCredentialsIn(key: string): AwsCredentials | undefined {
  if (!key.startsWith("{")) return undefined;
  const { AccessKeyId, SecretAccessKey, SessionToken, Region } = fieldsOf(parseJson(key));
  if (typeof AccessKeyId !== "string" || typeof SecretAccessKey !== "string") return undefined;
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof SessionToken === "string" && { sessionToken: SessionToken }),
    ...(typeof Region === "string" && { region: Region }),
  };
}

/** The headers that sign a request, in lower case. */
export function awsHeaders(
  { accessKeyId, secretAccessKey, sessionToken, region }: AwsCredentials,
  { url, init, headers: given }: SignedRequest,
  now: Date,
): Record<string, string> {
  const time = now.toISOString().replace(/[-:]|\.\d{3}/g, "");
  const scope = [time.slice(0, 8), regionOf(url) ?? region ?? DEFAULT_REGION, SERVICE, "aws4_request"];
  const added = present({ "x-amz-date": time, "x-amz-security-token": sessionToken });
  const signed: Record<string, string> = {
    host: url.host,
    ...present({ "content-type": given["content-type"] }),
    ...added,
  };
  const names = Object.keys(signed).sort();
  const canonical = [
    init.method ?? "GET",
    // A path is encoded once more than it is sent, for every service but S3.
    url.pathname.split("/").map(encoded).join("/"),
    queryOf(url),
    ...names.map((name) => `${name}:${signed[name]?.trim().replace(/ +/g, " ")}`),
    "",
    names.join(";"),
    hashOf(typeof init.body === "string" ? init.body : ""),
  ].join("\n");
  const key = scope.reduce<string | Buffer>((secret, part) => hmac(secret, part), `AWS4${secretAccessKey}`);
  const signature = hmac(key, [ALGORITHM, time, scope.join("/"), hashOf(canonical)].join("\n")).toString("hex");
  const credential = `Credential=${accessKeyId}/${scope.join("/")}`;
  return {
    ...added,
    authorization: `${ALGORITHM} ${credential}, SignedHeaders=${names.join(";")}, Signature=${signature}`,
  };
}

/** The region that a host of Amazon's names; a private endpoint's may name none. */
function regionOf({ hostname }: URL): string | undefined {
  return /(?:^|\.)bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com|api\.aws)/.exec(hostname)?.[1];
}

function queryOf({ searchParams }: URL): string {
  return [...searchParams]
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join("&");
}

/** RFC 3986, which leaves fewer characters as they are than the language does. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
