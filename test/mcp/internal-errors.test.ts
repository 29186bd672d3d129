/** The error that an MCP client gets for a bug in Deputy. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/clock.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMcpServers } from "../../src/mcp/server.ts";
import { createMemoryJournal } from "../../src/testing/index.ts";
import { CLIENTS, connect } from "../support/mcp-clients.ts";
import { stage } from "../support/whole-stage.ts";

for (const kind of CLIENTS)
  test(`a ${kind} client gets one line of a bug in Deputy, without a stack or a key, and the log gets the rest`, () =>
    stage({}, async ({ env, cwd }) => {
      const deputy = await openDeputy({ env, cwd, journal: createMemoryJournal() });
      const bug = new TypeError(`undefined is not a function: ${env.ACME_KEY}\n    at more of it`);
      const logged: [string, unknown][] = [];
      const engine = {
        ...deputy.engine,
        submit() {
          throw bug;
        },
      };
      const createServer = createMcpServers({
        deputy: { ...deputy, engine, logError: (where, error) => logged.push([where, error]) },
        workspace: { path: cwd, isNamed: false },
        clock: systemClock,
        version: "0.0.0",
        server: () => "test",
        startDetached: async () => {},
      });
      const client = await connect(kind, { createServer });
      const { isError, text } = await client.call("delegate_task", { goal: "one" });
      assert.ok(isError);
      assert.match(text, /^Internal error in Deputy \(undefined is not a function: \S*[^)\n]*\)\. Please report it/);
      assert.doesNotMatch(text, new RegExp(`more of it|internal-errors\\.test|${env.ACME_KEY}`));
      assert.deepEqual(logged, [["delegate_task", bug]]);
      await client.close();
      await deputy.engine.close();
    }).then(() => {}));
