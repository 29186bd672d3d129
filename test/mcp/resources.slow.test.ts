/** MCP resources: everything that a client can read in addition to tool results. No answer is too large for it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

const LONG = `Begins. ${"All work and no play. ".repeat(24_000)}Ends.`;

for (const kind of CLIENTS) {
  describe(`a ${kind} client`, () => {
    test("reads runs, whole answers and transcripts by their addresses", async () => {
      await onMcpStage({ script: () => ({ text: "roar" }) }, async ({ client }) => {
        const agent = await client(kind);
        const { delegation_id: id } = (await agent.call("delegate_task", { goal: "lion" })).data as Report;
        assert.deepEqual(await agent.resources(), [`deputy://runs/${id}`]);
        const [run = "", result = "", transcript = ""] = await agent.templates();
        const at = (template: string) => template.replace("{id}", id).replace("{child}", `${id}.1`);
        const { results, state } = JSON.parse(await agent.read(at(run)));
        assert.deepEqual([results[0].summary, results[0].route.served_models, state], ["roar", ["acme-1"], "ended"]);
        assert.equal(await agent.read(at(result)), "roar");
        assert.match(await agent.read(at(transcript)), /── task\nlion\n[\s\S]*── answer\nroar/);
        assert.deepEqual(await agent.complete(run, "id", id.slice(0, 2)), [id]);
        assert.deepEqual(await agent.complete(result, "child", ""), [`${id}.1`]);
        await assert.rejects(agent.read("deputy://runs/nothing"), /found nothing/);
        await assert.rejects(agent.read("deputy://walks/x"), /deputy:\/\/runs\/\{id\}/);
      });
    });

    test("gets the beginning of half a megabyte, and the rest part by part or whole", async () => {
      await onMcpStage({ script: () => ({ text: LONG }) }, async ({ client }) => {
        const agent = await client(kind);
        const { text, data } = await agent.call("delegate_task", { goal: "long" });
        const { delegation_id: id, results } = data as Report;
        assert.deepEqual([results[0]?.summary.length, results[0]?.summary_chars], [24_000, LONG.length]);
        assert.match(text, new RegExp(`check_delegation with {"id": "${id}.1", "offset": 24000}`));
        const { answer } = (await agent.call("check_delegation", { id: `${id}.1`, offset: 24_000 })).data as {
          answer: { text: string };
        };
        assert.equal(answer.text, LONG.slice(24_000, 48_000));
        assert.equal(await agent.read(`deputy://runs/${id}/children/${id}.1/result`), LONG);
      });
    });

    test("takes half a megabyte of many answers in one", async () => {
      const tasks = Array.from({ length: 250 }, (_, index) => ({ goal: `task ${index}` }));
      await onMcpStage({ script: () => ({ text: LONG.slice(0, 3000) }) }, async ({ client }) => {
        const { text, data } = await (await client(kind)).call("delegate_task", { tasks });
        const { results } = data as Report;
        assert.ok(text.length > 500_000);
        assert.deepEqual(
          [results.length, new Set(results.map(({ summary }) => summary.length))],
          [250, new Set([2_000])],
        );
      });
    });
  });
}
