/** Config keys with an effect on callers over MCP. */
import assert from "node:assert/strict";
import type { Report } from "../../src/report.ts";
import { onMcpStage } from "../support/mcp-stage.ts";
import type { Document, Scene } from "../support/whole-stage.ts";
import type { Effects } from "./effects.ts";

/** The answer of delegate_task for one task. */
async function delegated(config: Document, script: Scene["script"]): Promise<Report> {
  let report: Report | undefined;
  await onMcpStage({ config, ...(script && { script }) }, async ({ client }) => {
    report = (await (await client("2.x")).call("delegate_task", { goal: "one" })).data as Report;
  });
  assert.ok(report);
  return report;
}

export const MCP_EFFECTS: Effects = {
  mcp: async () => {
    const { state } = await delegated({ mcp: {} }, undefined);
    assert.equal(state, "ended");
  },
  "mcp.return_after_seconds": async () => {
    const silent: Scene["script"] = () => ({ fault: { kind: "silence" } });
    const early = await delegated({ mcp: { return_after_seconds: 0.05 } }, silent);
    const late = await delegated({ mcp: { return_after_seconds: 20 } }, undefined);
    assert.deepEqual([early.state, late.state], ["running", "ended"]);
  },
  "mcp.share": async () => {
    const listed: number[] = [];
    for (const mcp of [{}, { share: "all" }])
      await onMcpStage({ config: { mcp } }, async ({ client, engine }) => {
        const { result } = await engine.submit({ tasks: [{ goal: "one" }] }, { surface: "library", workspace: "." });
        await result;
        listed.push((await (await client("2.x")).resources()).length);
      });
    assert.deepEqual(listed, [0, 1]);
  },

  "delegation.max_summary_chars": async () => {
    const long = () => ({ text: "x".repeat(30_000) });
    const lengths = [];
    for (const delegation of [{}, { max_summary_chars: 2_500 }])
      lengths.push((await delegated({ delegation }, long)).results.map(({ summary }) => summary.length));
    assert.deepEqual(lengths, [[24_000], [2_500]]);
  },

  "delegation.approvals_by_model": async () => {
    const offered: boolean[] = [];
    for (const delegation of [{}, { approvals_by_model: true }])
      await onMcpStage({ config: { delegation } }, async ({ client }) => {
        const tools = await (await client("2.x")).listTools();
        const control = tools.find(({ name }) => name === "control_delegation");
        offered.push(JSON.stringify(control?.inputSchema).includes('"approve"'));
      });
    assert.deepEqual(offered, [false, true]);
  },
};
