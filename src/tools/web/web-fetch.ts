/** `web_fetch`: one page of the web as Markdown or text, from a public address, in parts that a model can read. */
import { z } from "zod";
import { parsePageUrl } from "../../page-url.ts";
import type { Tool, ToolContext, ToolSubject } from "../../tool.ts";
import { isOnHost } from "../../web-host.ts";
import { ToolError } from "../tool-error.ts";
import type { FetchRules } from "./fetch-page.ts";

/** Time limit of one call, in seconds. */
const MAX_SECONDS = 20;
/** Characters of a page in one answer. */
const MAX_CHARACTERS = 50_000;

/** `hosts`: hosts whose pages need no approval, in their normal form. */
export type WebFetchOptions = { hosts: readonly string[] } & FetchRules;

const input = z.strictObject({
  url: z
    .string()
    .superRefine((written, context) => {
      const parsed = parsePageUrl(written);
      if ("expected" in parsed) context.addIssue({ code: "custom", message: `expected ${parsed.expected}` });
    })
    .describe("The page's URL, with http:// or https://."),
  start: z.int().nonnegative().default(0).describe("Position of the first character to read, to continue a long page."),
});

export function createWebFetch({ hosts, ...rules }: WebFetchOptions): Tool<z.infer<typeof input>> {
  const subjectOf = (url: URL): ToolSubject => {
    const isListed = hosts.some((host) => isOnHost(url, host));
    return { target: url.href, otherwise: isListed ? "allow" : "ask", isPage: true };
  };
  return {
    name: "web_fetch",
    description:
      "Reads a page of the web (GET) as Markdown; text and JSON are returned as they are. One call returns about " +
      `${MAX_CHARACTERS} characters at most; if the page is longer, the last line says how to continue. A host that the ` +
      "user did not name may need the user's approval. Private addresses are refused.",
    effect: "read",
    input,
    subject: ({ url }) => subjectOf(pageUrl(url)),
    run: async ({ url, start }, context) => {
      const { fetchPage } = await import("./fetch-page.ts");
      const late = AbortSignal.timeout(MAX_SECONDS * 1000);
      const signal = AbortSignal.any([context.signal, late]);
      const mayFollow = (target: URL) => refuseRedirect(subjectOf(target), context);
      try {
        return await fetchPage(pageUrl(url), rules, { mayFollow, start, most: MAX_CHARACTERS }, signal);
      } catch (error) {
        if (!late.aborted || context.signal.aborted) throw error;
        throw new ToolError(`The page ${url} cannot be read: it takes more than ${MAX_SECONDS} seconds.`);
      }
    },
  };
}

/** The schema of the input has refused every other URL. */
function pageUrl(written: string): URL {
  const parsed = parsePageUrl(written);
  if ("expected" in parsed) throw new ToolError(`Expected ${parsed.expected}; found ${written}.`);
  return parsed;
}

/** @throws ToolError if the page needs approval, which the call does not have, or is denied */
function refuseRedirect(page: ToolSubject, { judgePage }: ToolContext): void {
  const { decision, because } = judgePage?.(page) ?? {
    decision: page.otherwise,
    because: "web.hosts does not list its host",
  };
  if (decision === "allow") return;
  const next = decision === "ask" ? " Call web_fetch with that URL to request approval." : "";
  throw new ToolError(`The page redirects to ${page.target}, which was not fetched: ${because}.${next}`);
}
