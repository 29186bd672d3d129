/** Deputy as an MCP server on the stage of two vendors, in this process, for clients of every kind. */
import { systemClock } from "../../src/clock.ts";
import type { Engine } from "../../src/engine/engine.ts";
import { openDeputy } from "../../src/engine/open.ts";
import { createMcpServers } from "../../src/mcp/server.ts";
import { createMemoryJournal } from "../../src/testing/index.ts";
import { type ClientKind, connect, type McpClient, type Person } from "./mcp-clients.ts";
import { type Scene, stage } from "./whole-stage.ts";

export type McpStage = {
  engine: Engine;
  client(kind: ClientKind, person?: Person): Promise<McpClient>;
};

/** @param scene `config` may hold `mcp: { return_after_seconds }` */
export async function onMcpStage(scene: Scene, perform: (stage: McpStage) => Promise<void>): Promise<void> {
  await stage(scene, async ({ env, cwd }) => {
    const deputy = await openDeputy({ env, cwd, journal: createMemoryJournal() });
    const createServer = createMcpServers({
      deputy,
      workspace: cwd,
      clock: systemClock,
      version: "0.0.0",
      beginElsewhere: async (id) => void (await deputy.engine.resume(id, { answersFromElsewhere: true })),
    });
    const clients: McpClient[] = [];
    try {
      await perform({
        engine: deputy.engine,
        async client(kind, person) {
          const client = await connect(kind, { createServer }, person);
          clients.push(client);
          return client;
        },
      });
    } finally {
      await Promise.all(clients.map((client) => client.close()));
      await deputy.engine.close();
    }
  });
}
