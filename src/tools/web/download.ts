/** Downloads a page: follows its redirects by hand, each to a URL, a host and an address that are checked again. */
import { nearnessOf } from "../../base-url.ts";
import { parsePageUrl } from "../../page-url.ts";
import { unlessAborted } from "../../values/unless-aborted.ts";
import { isOnHost } from "../../web-host.ts";
import { ToolError } from "../tool-error.ts";
import { type AddressRules, dialedAddresses, refusal, UnresolvedHost } from "./dialed-address.ts";
import { getOnce, type PageBody, type PageHead, type Way } from "./response.ts";

const MAX_REDIRECTS = 5;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

export type DownloadRules = AddressRules & {
  /** The address of the proxy for a URL, if the environment names one. */
  proxyFor(url: URL): string | undefined;
};

/** `url`: where the page was found. The body is absent if it is not wanted. */
export type Download = { url: URL; head: PageHead; body?: PageBody };

/**
 * @param mayFollow throws a ToolError for a redirect that needs approval
 * @param wants whether the body of a page with this head is read
 */
export async function download(
  start: URL,
  rules: DownloadRules,
  { mayFollow, wants }: { mayFollow(url: URL): void; wants(head: PageHead): boolean },
  signal: AbortSignal,
): Promise<Download> {
  let url = start;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const way = await wayTo(url, rules, signal);
    const { head, body } = await getOnce(url, way, (found) => !isRedirect(found) && wants(found), signal);
    if (!isRedirect(head)) return { url, head, ...(body && { body }) };
    url = targetOf(url, head);
    mayFollow(url);
  }
  throw new ToolError(
    `The page ${start.href} redirects more than ${MAX_REDIRECTS} times, the last time to ${url.href}.`,
  );
}

function isRedirect({ status, location }: PageHead): boolean {
  return REDIRECTS.has(status) && location !== undefined;
}

function targetOf(url: URL, { location = "" }: PageHead): URL {
  const target = parsePageUrl(location, url);
  if (!("expected" in target)) return target;
  throw new ToolError(`The page ${url.href} redirects to what is not fetched: expected ${target.expected}.`);
}

/**
 * A proxy resolves the name again by itself: what is private here, or looks local, is not sent to it. The system's
 * resolver cannot be stopped.
 */
async function wayTo(url: URL, rules: DownloadRules, signal: AbortSignal): Promise<Way> {
  const proxy = rules.proxyFor(url);
  try {
    const addresses = await unlessAborted(dialedAddresses(url, rules), signal);
    return proxy === undefined ? { addresses } : { proxy };
  } catch (error) {
    if (proxy === undefined || !(error instanceof UnresolvedHost)) throw error;
    const isOpen = rules.privateHosts.some((host) => isOnHost(url, host));
    if (nearnessOf(url.href) !== "public" && !isOpen) throw new ToolError(refusal(url));
    return { proxy };
  }
}
