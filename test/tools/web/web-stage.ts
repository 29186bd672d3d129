/** Pages on this machine, and `web_fetch` with the operator's settings for it. */
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo, Server as NetServer } from "node:net";
import type { TestContext } from "node:test";
import type { ToolContext, ToolOutput } from "../../../src/tool.ts";
import { toolErrorText } from "../../../src/tools/tool-error.ts";
import { createPageConverter } from "../../../src/tools/web/page-converter.ts";
import { createWebFetch, type WebFetchOptions } from "../../../src/tools/web/web-fetch.ts";

/** Starts a server and returns its port. */
export async function listen(context: TestContext, server: NetServer | Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  context.after(() => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A server of pages on a loopback address, as `127.0.0.1:port`. */
export async function servePages(context: TestContext, listener: RequestListener): Promise<string> {
  return `127.0.0.1:${await listen(context, createServer(listener))}`;
}

export type FetchPage = (url: string, start?: number) => Promise<ToolOutput>;

/** Calls `web_fetch` as a child does; what its schema rejects is thrown. Redirects are allowed unless `judgePage` decides. */
export function fetcher(
  options: Partial<WebFetchOptions> = {},
  {
    signal = new AbortController().signal,
    judgePage = () => ({ decision: "allow", because: "" }),
  }: Partial<ToolContext> = {},
): FetchPage {
  const tool = createWebFetch({
    hosts: [],
    privateHosts: [],
    proxyFor: () => undefined,
    convert: createPageConverter(),
    redact: (text) => text,
    ...options,
  });
  return async (url, start) => {
    const input = tool.input.parse({ url, ...(start !== undefined && { start }) });
    try {
      return await tool.run(input, { childId: "d.1", signal, judgePage });
    } catch (error) {
      const text = toolErrorText(error);
      if (text === undefined) throw error;
      return { ok: false, text };
    }
  };
}
