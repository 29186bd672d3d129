/**
 * The base URL of an endpoint as people write and paste it. What is meant is read: without a scheme, in quotes, with
 * doubled slashes. A key in it is refused: it would be stored and shown with the address.
 */
import { looksLikeSecret, mayBeKey, namesSecret, withoutKeyLikes } from "./secret.ts";

export type BaseUrl = {
  /** Without a fragment, which is never sent. */
  url: URL;
  /** Parameters that belong to every request, as gateways want them. */
  query: Readonly<Record<string, string>>;
};

/** Names of parameters that hold a signature or a key: learn.microsoft.com has `sig` and, for functions, `code`. */
const SIGNS = /^(sig|signature|code)$/i;
/** `localhost:8000`, `10.0.0.5`, `[::1]:8000`, `api.example.com`; a single word needs a port. */
const HOST = /^(localhost|\[[\da-f:.]+\]|[a-z\d-]+(\.[a-z\d-]+)+|[a-z\d_-]+(?=:\d))(:\d+)?(?=$|[/?#])/i;

/** The address a server listens on is no address to reach it at. */
const LISTENING = /^0\.0\.0\.0(?=$|:)/;

/** The base URL, or what is expected in its place. */
export function parseBaseUrl(text: string): BaseUrl | { expected: string } {
  const url = urlIn(
    text
      .trim()
      .replace(/^(["'`])(.*)\1$|^<(.*)>$/, "$2$3")
      .trim(),
  );
  if (url === undefined) return { expected: "an http(s) URL, such as http://127.0.0.1:8000/v1" };
  if (url.username !== "" || url.password !== "")
    return { expected: "an http(s) URL without a user name or password: write the key as api_key" };
  const query = Object.fromEntries(url.searchParams);
  const holdsKey = Object.entries(query).find(([name, value]) => isKey(name, value));
  if (holdsKey !== undefined)
    return {
      expected: `a URL without a key in its query (${withoutKeyLikes(holdsKey[0])}): write the key as api_key, or in headers`,
    };
  if (segmentsOf(url).some(isKeyInPath))
    return { expected: "a URL without a key in its path: write the key as api_key, or in headers" };
  url.hash = "";
  url.host = url.host.replace(LISTENING, "127.0.0.1");
  url.pathname = url.pathname.replaceAll(/\/{2,}/g, "/");
  return { url, query };
}

/** A gateway's account or deployment is often named by a number in hex. */
function isKeyInPath(segment: string): boolean {
  return mayBeKey(segment) && !/^[\da-f-]+$/i.test(segment);
}

/** As written, and decoded. */
function segmentsOf({ pathname }: URL): string[] {
  return [pathname, decoded(pathname)].flatMap((path) => path.split("/"));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

function isKey(name: string, value: string): boolean {
  return SIGNS.test(name) || namesSecret(name) || looksLikeSecret(name, value) || mayBeKey(name) || mayBeKey(value);
}

function urlIn(written: string): URL | undefined {
  const url = URL.parse(written);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  if (!HOST.test(written)) return undefined;
  return URL.parse(`${isNear(written) ? "http" : "https"}://${written}`) ?? undefined;
}

/** Servers of one's own mostly speak plain HTTP; a key is never sent elsewhere without encryption unasked. */
function isNear(written: string): boolean {
  const [host = ""] = HOST.exec(written) ?? [];
  return !host.endsWith(":443") && nearnessOf(`http://${host.replace(LISTENING, "127.0.0.1")}`) !== "public";
}

/** `loopback`: this machine. `private`: an address or name in the local network. */
export function nearnessOf(baseUrl: string): "loopback" | "private" | "public" {
  const hostname = unmapped(new URL(baseUrl).hostname.replace(/\.$/, ""));
  if (/^(\[::1?\]|0\.0\.0\.0)$|^127(\.\d+){3}$|(^|\.)localhost$/.test(hostname)) return "loopback";
  const privateAddress = /^(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|\[f([cd]|e[89ab]))/.test(hostname);
  const isAddress = /^[\d.]+$|^\[/.test(hostname);
  const localName = !isAddress && (!hostname.includes(".") || /\.(local|lan|internal|home\.arpa)$/.test(hostname));
  return (isAddress && privateAddress) || localName ? "private" : "public";
}

/** `[::ffff:7f00:1]` is 127.0.0.1. */
function unmapped(hostname: string): string {
  const [, high, low] = /^\[::ffff:([\da-f]{1,4}):([\da-f]{1,4})\]$/.exec(hostname) ?? [];
  if (high === undefined || low === undefined) return hostname;
  return [high, low].flatMap((part) => [Number.parseInt(part, 16) >> 8, Number.parseInt(part, 16) & 255]).join(".");
}
