/**
 * The URL of a page in the one spelling that rules match, approval requests show and requests use: without a fragment,
 * default port, final dot of the host, dot segments, and escapes that mean a plain letter.
 */
import { hostName } from "./web-host.ts";

/** Maximum length of a URL, in characters. */
const MAX_LENGTH = 8_000;

/** The page's URL, or what is expected in its place. @param base the page that refers to it */
export function parsePageUrl(written: string, base?: URL): URL | { expected: string } {
  const url = URL.parse(written.trim(), base?.href);
  if (url === null || !/^https?:$/.test(url.protocol) || hostName(url) === "")
    return { expected: "a URL that starts with http:// or https://" };
  if (url.username !== "" || url.password !== "") return { expected: "a URL without a user name or password" };
  url.hostname = hostName(url);
  url.hash = "";
  url.pathname = withPlainEscapes(url.pathname);
  url.search = withPlainEscapes(url.search);
  return url.href.length > MAX_LENGTH ? { expected: `a URL of at most ${MAX_LENGTH} characters` } : url;
}

/** RFC 3986, section 6.2.2: `%7E` is `~`, and `%c3` is `%C3`. */
export function withPlainEscapes(text: string): string {
  return text.replace(/%[\da-f]{2}/gi, (triplet) => {
    const character = String.fromCharCode(Number.parseInt(triplet.slice(1), 16));
    return /[\w.~-]/.test(character) ? character : triplet.toUpperCase();
  });
}
