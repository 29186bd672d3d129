/** Messages to a child name hosts if the user wrote them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import type { SteerMessage } from "../../src/child/conversation.ts";
import type { Tool } from "../../src/tool.ts";
import { calls, play, says } from "../support/child-stage.ts";

const PAGE: Tool = {
  name: "web_fetch",
  description: "a page",
  effect: "read",
  input: z.object({ url: z.string() }),
  subject: (input) => ({ target: (input as { url: string }).url, otherwise: "ask", isPage: true }),
  run: async () => ({ ok: true, text: "the page" }),
};

/** The outcomes of two fetches: before and after a message. */
async function around(message: Omit<SteerMessage, "id" | "by" | "text">) {
  const fetch = calls(["web_fetch", { url: "https://docs.example/" }]);
  let sent = false;
  let seen = 0;
  const { stored, result } = await play([fetch, fetch, says("done")], {
    tools: [PAGE],
    onRequest: () => (seen += 1),
    deps: {
      steered() {
        if (sent || seen === 0) return undefined;
        sent = true;
        return { id: "s1", text: "Read https://docs.example/", by: "the user", ...message };
      },
    },
  });
  assert.equal(result.status, "completed");
  return { stored, outcomes: stored.flatMap((event) => (event.kind === "tool-end" ? [event.outcome] : [])) };
}

test("a user's message to a running child opens the hosts that it names from then on", async () => {
  const { stored, outcomes } = await around({ hosts: ["docs.example"] });
  assert.deepEqual(outcomes, ["denied", "ran"]);
  const again = await play([calls(["web_fetch", { url: "https://docs.example/again" }]), says("done")], {
    tools: [PAGE],
    past: stored.filter(({ kind }) => kind !== "child-end").slice(0, -1),
  });
  const [end] = again.stored.filter(({ kind }) => kind === "tool-end");
  assert.equal(end?.kind === "tool-end" && end.outcome, "ran");
});

test("another model's message, and one of an older journal, opens none", async () => {
  assert.deepEqual((await around({ author: "model" })).outcomes, ["denied", "denied"]);
  assert.deepEqual((await around({})).outcomes, ["denied", "denied"]);
});

test("a task's hosts are those of its plan", async () => {
  const fetched = async (hosts?: string[]) => {
    const fetch = calls(["web_fetch", { url: "https://docs.example/" }]);
    const planned = hosts === undefined ? {} : { hosts };
    const { stored } = await play([fetch, says("done")], { tools: [PAGE], planned });
    return stored.flatMap((event) => (event.kind === "tool-end" ? [event.outcome] : []));
  };
  assert.deepEqual(await fetched(["docs.example"]), ["ran"]);
  assert.deepEqual(await fetched(["other.example"]), ["denied"]);
  assert.deepEqual(await fetched(), ["denied"]);
});
