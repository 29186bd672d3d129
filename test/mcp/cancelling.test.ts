/** The outcome of work when an MCP client cancels a call. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isClientTimeout } from "../../src/mcp/client/client-timeout.ts";
import type { Report } from "../../src/report.ts";
import { until } from "../support/command-line.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const LATER = new Promise<never>(() => {});

for (const kind of CLIENTS) {
  describe(`a ${kind} client`, () => {
    test("that cancels its call stops the children", async () => {
      await onMcpStage({ script: () => LATER }, async ({ client, engine }) => {
        const agent = await client(kind);
        const user = new AbortController();
        const call = agent.call(
          "delegate_task",
          { tasks: [{ goal: "one" }, { goal: "two" }] },
          { signal: user.signal },
        );
        const children = async () => (await engine.runs())[0]?.run.children;
        await until(async () => (await children())?.every(({ activity }) => activity === "thinking") === true);
        user.abort();
        await assert.rejects(call);
        await until(async () => (await engine.runs())[0]?.owner === "none");
        assert.deepEqual(
          (await children())?.map(({ tally }) => [
            tally.ending?.status,
            "exitReason" in (tally.ending ?? {}) && tally.ending,
          ]),
          [1, 2].map(() => ["interrupted", { status: "interrupted", exitReason: "cancelled by a test", text: "" }]),
        );
      });
    });

    test("that times out only disconnects: the work continues, and can be fetched", async () => {
      const { promise: opened, resolve: open } = Promise.withResolvers<void>();
      const script = async () => {
        await opened;
        return { text: "late, but here" };
      };
      await onMcpStage({ script }, async ({ client, engine }) => {
        const agent = await client(kind);
        await assert.rejects(agent.call("delegate_task", { goal: "slow" }, { timeout: 300 }), /timed out/);
        open();
        const again = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
        assert.deepEqual([again.results[0]?.summary, (await engine.runs()).length], ["late, but here", 1]);
      });
    });

    test("that cancels a look at a delegation stops nothing", async () => {
      await onMcpStage(
        { script: () => LATER, config: { mcp: { return_after_seconds: 0.1 } } },
        async ({ client, engine }) => {
          const agent = await client(kind);
          const { delegation_id: id } = (await agent.call("delegate_task", { goal: "slow" })).data as Report;
          const user = new AbortController();
          const look = agent.call("check_delegation", { id }, { signal: user.signal });
          user.abort();
          await assert.rejects(look);
          const { data = {} } = await agent.call("check_delegation", { id, wait_seconds: 0 });
          assert.deepEqual([(data.delegation as Report).state, (await engine.run(id)).owner], ["running", "here"]);
        },
      );
    });
  });
}

describe("why a client gave up", () => {
  test("is read from its words", () => {
    for (const words of [
      "McpError: MCP error -32001: Request timed out",
      "SdkError: Request timed out",
      "request timeout",
      "TimeoutError: The operation was aborted due to timeout",
      "context deadline exceeded",
      "timed out",
      "McpError: MCP error -32001: Maximum total timeout exceeded",
    ])
      assert.ok(isClientTimeout(words, [60_000]), words);
    for (const words of ["AbortError: This operation was aborted", "user pressed Esc", "cancelled", "context canceled"])
      assert.ok(!isClientTimeout(words, [60_000]), words);
    for (const words of ["Cancelled by the user before the timeout of 60 s", "User aborted (timeout: 60 s)"])
      assert.ok(!isClientTimeout(words, [60_000]), words);
    for (const words of ["Request cancelled: timed out after 60 s", "cancelled due to timeout"])
      assert.ok(isClientTimeout(words, [1_234]), words);
  });

  test("and without words from the clock: patience is set in round seconds", () => {
    const silent = fc.constantFrom(undefined, "", "  ", new Error("Connection closed"));
    fc.assert(
      fc.property(
        silent,
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: -40, max: 390 }),
        (reason, steps, lateMs) => {
          assert.ok(isClientTimeout(reason, [steps * 5_000 + lateMs]));
          assert.ok(isClientTimeout(reason, [1_234, steps * 5_000 + lateMs]), "since the last sign of life");
          assert.ok(!isClientTimeout(reason, [steps * 5_000 - 2_500 + lateMs]));
        },
      ),
    );
    assert.ok(!isClientTimeout(undefined, [0, 100]));
  });
});
