/** MCP over HTTP in this process, behind the real listener. */
import { readFileSync } from "node:fs";
import { listen } from "../../src/cli/serving/http-listener.ts";
import { accessToken } from "../../src/config/access-token.ts";
import type { CreateMcpServer } from "../../src/mcp/server.ts";
import { createHttpAdapter } from "../../src/mcp/transport/http.ts";
import { createNodeHandler } from "../../src/mcp/transport/node-handler.ts";

export type McpHttp = { url: string; token: string; close(): Promise<void> };

/** @param state directory for the token */
export async function serveMcpHttp(
  createServer: CreateMcpServer,
  state: string,
  limits: { maxSessions?: number } = {},
): Promise<McpHttp> {
  const onError = () => {};
  const token = accessToken(state);
  const face = createHttpAdapter({ createServer, onError, ...limits });
  const handler = createNodeHandler(face, onError);
  const listener = await listen({ host: "127.0.0.1", port: 0, token, handlers: { "/mcp": handler }, onError });
  return {
    url: `${listener.url}/mcp`,
    token: readFileSync(token.path, "utf8").trim(),
    async close() {
      await face.close();
      await listener.close();
    },
  };
}
