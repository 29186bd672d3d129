// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** A fork: a child's conversation goes on from one of its steps, on any route, in a new run, over HTTP. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeputy, type Deputy } from "../../src/engine/deputy.ts";
import { DeputyError } from "../../src/errors.ts";
import type { StoredEvent } from "../../src/event.ts";
import { createRunInvariants, invariantError } from "../../src/journal/invariants.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { createMemoryJournal, type ModelRequest, type Script } from "../../src/testing/index.ts";
import { BASE_PATH } from "../../src/testing/request-target.ts";
import { type Document, type Scene, stage } from "../support/whole-stage.ts";

const provider = (vendor: "ACME" | "BETA", mode: ApiMode): Document => ({
  base_url: `\${${vendor}_URL}${BASE_PATH[mode]}`,
  api_key: `\${${vendor}_KEY}`,
  api_mode: mode,
  default_model: `${vendor.toLowerCase()}-1`,
  models: { [`${vendor.toLowerCase()}-1`]: { price: { input: 1, output: 1 } } },
});

const config = (from: ApiMode, to: ApiMode): Document => ({
  providers: { acme: provider("ACME", from), beta: provider("BETA", to) },
});

const stepOf = ({ messages }: ModelRequest) => messages.filter(({ role }) => role === "assistant").length + 1;

/** Reads, writes, reads again, answers. */
const script: Script = (request) => {
  const step = stepOf(request);
  if (request.model === "beta-1") return { text: `beta answers after ${step - 1} steps` };
  if (step === 1)
    return { reasoning: "secret plan", toolCalls: [{ id: "a1", name: "read_file", input: { path: "a.txt" } }] };
  if (step === 2) return { toolCalls: [{ id: "a2", name: "write_file", input: { path: "b.txt", content: "b\n" } }] };
  if (step === 3) return { toolCalls: [{ id: "a3", name: "read_file", input: { path: "b.txt" } }] };
  return { text: "acme is done" };
};

const files = { "work/a.txt": "first file\n" };

type Staged = { library: Deputy; journal: Journal; id: string };

async function onStage(scene: Scene, act: (staged: Staged) => Promise<void>) {
  return stage({ files, script, config: config("chat_completions", "chat_completions"), ...scene }, async (place) => {
    const journal = createMemoryJournal();
    const library = createDeputy({ ...place, journal });
    try {
      const { delegation_id: id } = await library.delegate({ goal: "Work.", model: "acme-1" });
      await act({ library, journal, id });
    } finally {
      await library.close();
    }
  });
}

async function eventsOf(journal: Journal, delegationId: string): Promise<StoredEvent[]> {
  const events: StoredEvent[] = [];
  for await (const { event } of journal.read({ delegationId })) events.push(event);
  return events;
}

describe("a fork", () => {
  for (const [index, from] of API_MODES.entries()) {
    const to = API_MODES[(index + 1) % API_MODES.length] ?? from;
    test(`goes on from a step's results, from ${from} on ${to}`, async () => {
      const { requests } = await onStage({ config: config(from, to) }, async ({ library, journal, id }) => {
        const before = await eventsOf(journal, id);
        const fork = await library.fork(`${id}.1`, { step: 2, route: { model: "beta-1", provider: "beta" } });
        const { results, forked_from, total_cost_usd } = await fork.result;
        const [result] = results;
        assert.deepEqual([result?.status, result?.summary], ["completed", "beta answers after 2 steps"]);
        assert.equal(forked_from, `${id}.1@2`);
        assert.deepEqual([result?.api_calls, result?.tool_trace, result?.files_changed], [1, [], []]);
        assert.ok(total_cost_usd !== null && total_cost_usd === result?.cost_usd);
        assert.deepEqual(await eventsOf(journal, id), before);
        const invariants = createRunInvariants();
        const wrong = (await eventsOf(journal, fork.id)).map((event) => invariantError(invariants, event));
        assert.deepEqual(
          wrong.filter((error) => error !== undefined),
          [],
        );
      });
      const asked = requests.filter(({ vendor }) => vendor === "beta");
      assert.equal(asked.length, 1);
      const [request] = asked;
      const calls = request?.messages.flatMap(({ toolCalls }) => toolCalls.map(({ name }) => name));
      assert.deepEqual(calls, ["read_file", "write_file"]);
      assert.match(
        request?.lastUserText ?? "",
        /^Continue the task from here\.\n\n\(The files are as they are now, not as they were after step 2: no later step of that child changed files\./,
      );
      assert.doesNotMatch(JSON.stringify(request?.body), /secret plan/);
    });
  }

  test("says which files later steps changed, to the user and to the child", async () => {
    const { requests } = await onStage({}, async ({ library, id }) => {
      const fork = await library.fork(`${id}.1`, { step: 1, route: { model: "beta-1", provider: "beta" } });
      const { warnings } = await fork.result;
      assert.deepEqual(
        warnings.map(({ message }) => message),
        ["The files are as they are now, not as they were after step 1: later steps changed b.txt."],
      );
    });
    assert.match(requests.at(-1)?.lastUserText ?? "", /later steps changed b\.txt\. Read a file again/);
  });

  test("takes the next message after the answer, and counts limits anew", async () => {
    const { requests } = await onStage({}, async ({ library, id }) => {
      const fork = await library.fork(id, { goal: "Now the tests.", route: { model: "beta-1", provider: "beta" } });
      assert.equal((await fork.result).results[0]?.summary, "beta answers after 4 steps");
      const again = await library.fork(`${fork.id}.1`, {
        goal: "And the docs.",
        route: { model: "beta-1", provider: "beta" },
      });
      assert.equal((await again.result).results[0]?.summary, "beta answers after 5 steps");
    });
    const texts = requests
      .at(-1)
      ?.messages.filter(({ role }) => role === "user")
      .map(({ text }) => text.split("\n")[0]);
    assert.deepEqual(texts, ["Work.", "Now the tests.", "And the docs."]);
  });

  test("can go on at its own model", async () => {
    await onStage({}, async ({ library, id }) => {
      const { results } = await (await library.fork(`${id}.1`, { step: 3 })).result;
      assert.deepEqual([results[0]?.model, results[0]?.summary], ["acme-1", "acme is done"]);
    });
  });
});

describe("a fork is refused", () => {
  const refusals: [string, (id: string) => Parameters<Deputy["fork"]>, RegExp][] = [
    [
      "after an answer without a next message",
      (id) => [`${id}.1`],
      /Step 4 of .+\.1 is its answer: there is nothing to continue\. Give the next message with --goal/,
    ],
    ["from a step that there is not", (id) => [`${id}.1`, { step: 9 }], /Expected a step of .+\.1, 1 to 4; found 9\./],
    ["from a child that there is not", (id) => [`${id}.2`, { step: 1 }], /has 1 child; found no/],
    [
      "on a model that cannot be resolved",
      (id) => [`${id}.1`, { step: 1, route: { model: "x", provider: "nowhere" } }],
      /nowhere/,
    ],
  ];
  for (const [name, args, message] of refusals)
    test(name, async () => {
      await onStage({}, async ({ library, id }) => {
        await assert.rejects(
          library.fork(...args(id)),
          (error) => error instanceof DeputyError && message.test(error.message),
        );
      });
    });
});
