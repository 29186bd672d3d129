/** Search engines, as their documentation describes them: one row each. */
import type { SearchEngineName } from "../../config-schema.ts";
import type { KeyHeader } from "../../secret.ts";
import { fieldsOf, isRecord } from "../../values/record.ts";

/** A request below the engine's base URL. */
export type SearchRequest = { method: "GET" | "POST"; path: string; body?: string };

export type Hit = { title: string; url: string; snippet: string };

export type SearchEngineRow = {
  /** The engine's own base URL; absent if there are only users' own servers. */
  baseUrl?: string;
  keyHeader: KeyHeader;
  request(query: string, most: number): SearchRequest;
  /** The results in the JSON of a response; undefined if it has none of their form. */
  hits(answer: Record<string, unknown>): Hit[] | undefined;
  /** The engine's own words for an error. */
  problem(answer: Record<string, unknown>): unknown;
};

export const SEARCH_ENGINE_ROWS: Record<SearchEngineName, SearchEngineRow> = {
  // https://docs.searxng.org/dev/search_api.html: `json` must be one of `search.formats` of the server.
  searxng: {
    keyHeader: "authorization",
    request: (query) => ({ method: "GET", path: `/search?${new URLSearchParams({ q: query, format: "json" })}` }),
    hits: ({ results }) => hitsIn(results, "content"),
    problem: ({ error }) => error,
  },
  // https://api-dashboard.search.brave.com/app/documentation/web-search
  brave: {
    baseUrl: "https://api.search.brave.com/res/v1",
    keyHeader: "x-subscription-token",
    request: (query, most) => ({
      method: "GET",
      path: `/web/search?${new URLSearchParams({ q: query, count: String(most), text_decorations: "false" })}`,
    }),
    hits: ({ web, type }) =>
      type === "search" && web === undefined ? [] : hitsIn(fieldsOf(web).results, "description"),
    problem: ({ error }) => fieldsOf(error).detail ?? fieldsOf(error).code,
  },
  // https://docs.tavily.com/documentation/api-reference/endpoint/search
  tavily: {
    baseUrl: "https://api.tavily.com",
    keyHeader: "authorization",
    request: (query, most) => ({
      method: "POST",
      path: "/search",
      body: JSON.stringify({ query, max_results: most }),
    }),
    hits: ({ results }) => hitsIn(results, "content"),
    problem: ({ detail }) => fieldsOf(detail).error ?? detail,
  },
};

function hitsIn(results: unknown, snippet: string): Hit[] | undefined {
  if (!Array.isArray(results)) return undefined;
  return results.filter(isRecord).map((result) => ({
    title: plain(result.title),
    url: plain(result.url),
    snippet: plain(result[snippet]),
  }));
}

/** Engines mark words with `<strong>`, and snippets span lines. */
function plain(value: unknown): string {
  return typeof value === "string"
    ? value
        .replace(/<\/?(strong|b|em)>/g, "")
        .replace(/\s+/g, " ")
        .trim()
    : "";
}
