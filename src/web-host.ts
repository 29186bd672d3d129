/**
 * Hosts as people write them in the config and in tasks: `docs.example.com`, `127.0.0.1:8080`, `[::1]`. Without a port,
 * all ports are meant. Names are compared as a request would use them: in lower case, IDN encoded, without a final dot.
 */
import { isIP } from "node:net";
import { matchesStars } from "./text/star-pattern.ts";

const WITH_PORT = /^(\[[\da-f:.]+\]|[^\s/?#@:\\%|[\]]+)(?::(\d{1,5}))?$/i;

/** The normal form of a written host; undefined if it is not a host. `*` matches anything. */
export function normalHost(written: string): string | undefined {
  const [, name = "", port] = WITH_PORT.exec(isIP(written) === 6 ? `[${written}]` : written) ?? [];
  const url = name === "" ? null : URL.parse(`http://${name}`);
  if (url === null || hostName(url) === "") return undefined;
  return port === undefined ? hostName(url) : `${hostName(url)}:${Number(port)}`;
}

/** The name or address of a URL's host; an IPv6 address is in brackets. */
export function hostName({ hostname }: URL): string {
  return hostname.replace(/\.+$/, "");
}

/** Returns whether a URL is on this host. @param host in its normal form; `*` matches anything */
export function isOnHost(url: URL, host: string): boolean {
  const [, name = "", port] = WITH_PORT.exec(host) ?? [];
  return matchesStars(name, hostName(url)) && (port === undefined || port === portOf(url));
}

/** The port of a URL, written out or not. */
export function portOf({ protocol, port }: URL): string {
  return port || (protocol === "https:" ? "443" : "80");
}

/** A URL, or a word that may be a host. Punctuation of other scripts ends both. */
const WRITTEN =
  /https?:\/\/[^\s<>"'`\\{}|^\u3000-\u303f\uff00-\uffef]+|(?<![\p{L}\p{N}\p{Cf}_@/\\.:%-])(?:\[[\da-f:.]{2,45}\]|localhost|(?:[\p{L}\p{N}-]+\.)+[\p{L}\p{N}-]+)(?::\d{1,5})?(?![\p{L}\p{N}\p{Cf}_@-])/giu;

/** Without any of these, a text names no host: looking for one takes longer than all other planning. */
const MARKS = ["://", "www.", "localhost", "[", ".com", ".org", ".net", ".edu", ".gov", ".int", ".mil"];

/** `main.rs` and `config.name` are no hosts, and would belong to whoever registers them. */
const CERTAIN = /^(www\.|\[|localhost\b|\d+(\.\d+){3}(:|$))|\.(com|org|net|edu|gov|int|mil)(:\d+)?$/i;

/**
 * The hosts that a text names, in their normal form: those of its URLs, and words that can hardly be anything else. A URL
 * with a user name may look like one of another host, so it names none.
 */
export function hostsIn(...texts: readonly (string | undefined)[]): string[] {
  const written = texts.flatMap((text = "") => (mayNameHost(text) ? (text.match(WRITTEN) ?? []) : []));
  const hosts = written.flatMap((word) => (/^https?:/i.test(word) ? hostOfUrl(word) : hostOfWord(word)));
  return [...new Set(hosts)].filter((host) => !host.includes("*"));
}

function mayNameHost(text: string): boolean {
  const lower = text.toLowerCase();
  return MARKS.some((mark) => lower.includes(mark)) || /\d\.\d/.test(lower);
}

function hostOfUrl(written: string): string[] {
  const url = URL.parse(written.replace(/[^\p{L}\p{N}/\]]+$/u, "")) ?? URL.parse(written.replace(/\].*$/s, ""));
  if (url === null || url.username !== "" || url.password !== "" || hostName(url) === "") return [];
  return [url.port === "" ? hostName(url) : `${hostName(url)}:${url.port}`];
}

function hostOfWord(written: string): string[] {
  const host = CERTAIN.test(written) ? normalHost(written) : undefined;
  return host === undefined ? [] : [host];
}
