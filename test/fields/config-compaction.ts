/** The config's settings for conversations that reach their model's context window. */
import assert from "node:assert/strict";
import type { ModelRequest, Script } from "../../src/testing/index.ts";
import { type Document, type Played, play } from "../support/whole-stage.ts";
import type { Effects } from "./effects.ts";

const STEPS = 12;
const isSummary = ({ system }: ModelRequest) => system.startsWith("You summarize");

/** Says much before each of its calls, so that removed results alone do not make enough room. */
function talkative(): Script {
  let steps = 0;
  return (request) => {
    if (isSummary(request)) return { text: "Done: some of it." };
    const turn = { text: "thinking ".repeat(400) };
    return ++steps > STEPS
      ? { text: "done" }
      : { ...turn, toolCalls: [{ name: "read_file", input: { path: `${steps}` } }] };
  };
}

/** Runs a child with a window of 8,000 tokens. */
function under(compaction: unknown): Promise<Played> {
  const models = { "acme-1": { context_window: 8_000 }, "beta-1": { context_window: 9_000 } };
  const providers: Document = { acme: { models }, beta: { models } };
  return play({ goal: "one" }, { script: talkative(), config: { providers, delegation: { compaction } } });
}

const countIn = ({ results }: Played) => results[0]?.compactions ?? 0;

export const COMPACTION_EFFECTS: Effects = {
  "delegation.compaction": async () => {
    assert.equal(countIn(await under("off")), 0);
    const played = await under(undefined);
    assert.ok(countIn(played) > 0);
    assert.ok(played.requests.some(isSummary));
    assert.equal(played.results[0]?.status, "completed");
  },

  "delegation.compaction.at": async () => {
    assert.ok(countIn(await under({ at: 0.3, keep: 0.1 })) > countIn(await under({ at: 0.95, keep: 0.1 })));
  },

  "delegation.compaction.keep": async () => {
    const kept = async (keep: number) => {
      const { requests } = await under({ keep });
      const after = requests[requests.findIndex(isSummary) + 1];
      return after?.messages.length ?? 0;
    };
    assert.ok((await kept(0.5)) > (await kept(0.05)));
  },

  "delegation.compaction.model": async () => {
    const vendors = async (model: string) =>
      new Set((await under({ model })).requests.filter(isSummary).map(({ vendor }) => vendor));
    assert.deepEqual(await vendors("beta-1 --provider beta"), new Set(["beta"]));
    assert.deepEqual(await vendors("inherit"), new Set(["acme"]));
  },
};
