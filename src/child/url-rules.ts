/**
 * Permission rules for pages. A pattern is a URL in which `*` is anything: its host is compared with the host alone and
 * the rest with the rest, so `https://*.example.com/*` does not cover `https://evil.test/.example.com/`. A rule that
 * allows must name the scheme, so that a rule for files covers no page. It does not cover a path that leaves a directory
 * once a server decodes it (`/docs/..%2fadmin`). A rule that asks or denies matches in any case, scheme and escaping.
 *
 * If no rule decides, the page of a host that the operator lists or the user named is allowed: any other page needs
 * approval, because its URL can carry a secret out.
 */
import { withPlainEscapes } from "../page-url.ts";
import { matchesStars } from "../text/star-pattern.ts";
import type { PermissionRule, ToolSubject } from "../tool.ts";
import { hostName, isOnHost, portOf } from "../web-host.ts";
import { type GroundedDecision, type Permissions, quoted } from "./file-rules.ts";

export type PageJudge = (page: ToolSubject) => GroundedDecision;

/** @param named hosts that the user's own words name */
export function createPageJudge(
  { rules, otherwise: approvals }: Permissions,
  toolName: string,
  named: readonly string[],
): PageJudge {
  const relevant = rules.filter(({ tool }) => matchesStars(tool, toolName));
  return ({ target, otherwise }) => {
    const url = new URL(target);
    const rule = relevant.find((each) => covers(each, url));
    if (rule !== undefined)
      return { decision: rule.then, because: `${quoted(rule)} says ${rule.then} to ${target}`, ground: rule };
    const host = hostName(url);
    if (otherwise === "allow") return { decision: "allow", because: `web.hosts lists ${host}` };
    if (named.some((each) => isOnHost(url, each)))
      return { decision: "allow", because: `the user named the host ${host}` };
    const because = `no permission rule covers ${target}, neither web.hosts nor the user names its host, and approvals: ${approvals}`;
    return { decision: approvals, because };
  };
}

/** Judges the pages that a call is redirected to. What the call itself was approved for is allowed on its host. */
export function createRedirectJudge(judge: PageJudge, call: ToolSubject): PageJudge {
  const { ground: granted } = judge(call);
  const host = hostName(new URL(call.target));
  return (page) => {
    const found = judge(page);
    const isGranted = found.ground === granted && hostName(new URL(page.target)) === host;
    return found.decision === "ask" && isGranted ? { ...found, decision: "allow" } : found;
  };
}

function covers({ match = "*", then }: PermissionRule, url: URL): boolean {
  if (match === "*" || match === url.href) return true;
  if (then === "allow") return match.includes("://") && !climbs(url) && matchesPage(readPattern(match), url);
  const pattern = folded(match);
  const { host, rest } = readPattern(pattern, "*");
  const spellings = [url, URL.parse(folded(url.href)) ?? url];
  return spellings.some(
    (each) =>
      matchesStars(pattern, each.href) ||
      [rest, `${rest}/*`, `${rest}?*`].some((part) => matchesPage({ scheme: "*", host, rest: part }, each)),
  );
}

type PagePattern = { scheme: string; host: string; rest: string };

/**
 * Without a scheme, any is meant. A `*` that ends a name belongs to what follows the host: it covers no longer name.
 * @param whole the rest of a pattern that is only a host
 */
function readPattern(match: string, whole = "/"): PagePattern {
  const [, scheme = "*", written = "", path = ""] = /^(?:([a-z*]+):\/\/)?([^/?#]*)(.*)$/is.exec(match) ?? [];
  const [, name = "", open = ""] = /^(.*[^*.:])(\*?)$/s.exec(written) ?? [];
  const host = open === "" ? written : name;
  const rest = written.endsWith("*") && (open !== "" || path === "") ? `*${path}` : path || whole;
  const normal = URL.parse(`${scheme === "https" ? "https" : "http"}://${host}`)?.host.replace(/\.(?=:|$)/, "");
  return { scheme: scheme.toLowerCase(), host: normal ?? host.toLowerCase(), rest: withPlainEscapes(rest) };
}

function matchesPage({ scheme, host, rest }: PagePattern, url: URL): boolean {
  const { protocol, pathname, search } = url;
  return (
    matchesStars(`${scheme}:`, protocol) &&
    (matchesStars(host, url.host) || matchesStars(host, `${url.hostname}:${portOf(url)}`)) &&
    matchesStars(rest, pathname + search)
  );
}

/** Returns whether a server that decodes the path would leave a directory of it. */
function climbs({ pathname }: URL): boolean {
  return /\/\.\.(;[^/]*)?(\/|$)/.test(decoded(pathname));
}

/** One spelling for all that some server treats as the same page. */
function folded(text: string): string {
  return decoded(text)
    .replace(/(?<!:)\/{2,}/g, "/")
    .toLowerCase();
}

/** As decoded by servers that decode more than once. */
function decoded(text: string): string {
  let plain = text;
  for (let times = 0; times < 3; times++)
    plain = plain.replace(/%([\da-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
  return plain.replaceAll("\\", "/");
}
