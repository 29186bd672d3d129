/** Deputy as an MCP server on the stage of two vendors, in this process, for clients of every kind. */
import { type Clock, systemClock } from "../../src/clock.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMcpServers } from "../../src/mcp/server.ts";
import { createMemoryJournal } from "../../src/testing/index.ts";
import { present } from "../../src/values/present.ts";
import { type ClientKind, connect, type McpClient, type Person, type Place } from "./mcp-clients.ts";
import { type McpHttp, serveMcpHttp } from "./mcp-http.ts";
import { type Scene, stage } from "./whole-stage.ts";

export type McpStage = {
  engine: Engine;
  client(kind: ClientKind, person?: Person, roots?: string[], name?: string): Promise<McpClient>;
  /** A client over HTTP. */
  remote(kind: ClientKind, person?: Person, roots?: string[], name?: string): Promise<McpClient>;
  /** Serves it over HTTP. */
  http(): Promise<McpHttp>;
};

type About = [person?: Person, roots?: string[], name?: string];

type McpScene = Scene & { begin?: (runId: string) => Promise<void>; serverClock?: Clock; maxSessions?: number };

/**
 * @param scene `config` may contain `mcp: { return_after_seconds }`; `begin` starts a run in the background;
 * `serverClock` is the server's clock. Default: the real one.
 */
export async function onMcpStage(
  { begin, serverClock, maxSessions, ...scene }: McpScene,
  perform: (stage: McpStage) => Promise<void>,
): Promise<void> {
  await stage(scene, async ({ env, cwd }) => {
    const deputy = await openDeputy({ env, cwd, journal: createMemoryJournal() });
    const createServer = createMcpServers({
      deputy,
      workspace: { path: cwd, isNamed: false },
      clock: serverClock ?? systemClock,
      version: "0.0.0",
      server: () => "test",
      startDetached: begin ?? (async (id) => void (await deputy.engine.resume(id, { answersFromElsewhere: true }))),
    });
    const clients: McpClient[] = [];
    let served: Promise<McpHttp> | undefined;
    const http = () => {
      served ??= serveMcpHttp(createServer, env.DEPUTY_STATE_DIR ?? "", present({ maxSessions }));
      return served;
    };
    async function client(kind: ClientKind, place: Place, ...about: About): Promise<McpClient> {
      const connected = await connect(kind, place, ...about);
      clients.push(connected);
      return connected;
    }
    try {
      await perform({
        engine: deputy.engine,
        client: (kind, ...about) => client(kind, { createServer }, ...about),
        remote: async (kind, ...about) => client(kind, await http(), ...about),
        http,
      });
    } finally {
      await Promise.all(clients.map((each) => each.close()));
      await (await served)?.close();
      await deputy.engine.close();
    }
  });
}
