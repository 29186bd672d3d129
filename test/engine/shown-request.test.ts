// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Requests of the past, written again from the journal: the same bytes that the vendor received. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import type { Journal } from "../../src/journal/journal.ts";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import type { CallInput } from "../../src/task.ts";
import { createMemoryJournal, type ModelRequest, type Script } from "../../src/testing/index.ts";
import { BASE_PATH } from "../../src/testing/request-target.ts";
import { TINY_GIF, TINY_PNG } from "../support/tiny-images.ts";
import { type Arrival, type Document, type Scene, stage } from "../support/whole-stage.ts";

const provider = (vendor: "ACME" | "BETA", mode: ApiMode, window?: number): Document => ({
  base_url: `\${${vendor}_URL}${BASE_PATH[mode]}`,
  api_key: `\${${vendor}_KEY}`,
  api_mode: mode,
  default_model: `${vendor.toLowerCase()}-1`,
  models: {
    [`${vendor.toLowerCase()}-1`]: {
      vision: true,
      reasoning_efforts: ["low", "high"],
      price: { input: 1, output: 1 },
      ...(window !== undefined && { context_window: window, max_output_tokens: 500 }),
    },
  },
});

const stepOf = ({ messages }: ModelRequest) => messages.filter(({ role }) => role === "assistant").length + 1;

const files = { "work/plan.md": "# Plan ✓\nDo \u2028 it.\n", "work/dot.png": TINY_PNG };

/** Looks around twice, with reasoning, then answers. */
const looksTwice: Script = (request) =>
  stepOf(request) <= 2
    ? {
        reasoning: "I should look around.",
        text: "Let me look.",
        toolCalls: [{ id: `call_${stepOf(request)}`, name: "list_dir", input: { path: "." } }],
      }
    : { text: "done ✓" };

type Shown = { sent: Arrival[]; journal: Journal; shown: Awaited<ReturnType<typeof showAll>> };

async function showAll(
  journal: Journal,
  place: { env: Record<string, string>; cwd: string },
  id: string,
  count: number,
) {
  const library = createDeputy({ ...place, journal });
  try {
    return await Promise.all(Array.from({ length: count }, (_, index) => library.request(id, index + 1)));
  } finally {
    await library.close();
  }
}

/** Runs a call, then has another process of Deputy write every request of its first child again. */
async function runAndShow(call: CallInput, scene: Scene, count: number): Promise<Shown> {
  const journal = createMemoryJournal();
  const { outcome, requests } = await stage(scene, async (place) => {
    const library = createDeputy({ ...place, journal });
    const { delegation_id: id } = await library.delegate(call);
    await library.close();
    return showAll(journal, place, `${id}.1`, count);
  });
  return { sent: requests, journal, shown: outcome };
}

function assertSame({ sent, shown }: Shown): void {
  assert.equal(shown.length, sent.length);
  for (const [index, { body, bodyBytes }] of sent.entries()) {
    assert.equal(shown[index]?.body, JSON.stringify(body), `request ${index + 1}`);
    assert.equal(Buffer.byteLength(shown[index]?.body ?? ""), bodyBytes);
    assert.deepEqual(shown[index]?.differences, []);
    assert.equal(shown[index]?.recorded_sha256, shown[index]?.sha256);
  }
}

/** Images of each request: Gemini takes no GIF, neither when the tool runs nor after a fallback. */
function expectedImages(first: ApiMode, second: ApiMode): number[] {
  const withGif = (mode: ApiMode) => (mode === "gemini" ? 0 : 1);
  const gifs = withGif(first) * withGif(second);
  return [0, 1 + withGif(first), 1 + gifs, 1 + gifs + withGif(second)];
}

describe("a request is shown byte for byte as the vendor received it", () => {
  for (const mode of API_MODES) {
    test(`${mode}: tools, reasoning, an image and a file`, async () => {
      const call: CallInput = { goal: "Look.", images: ["dot.png"], files: ["plan.md"], reasoning_effort: "low" };
      const seen = await runAndShow(
        call,
        { config: { providers: { acme: provider("ACME", mode) } }, files, script: looksTwice },
        3,
      );
      assertSame(seen);
      assert.match(seen.shown[0]?.url ?? "", /^http:\/\/127\.0\.0\.1:\d+\//);
      assert.doesNotMatch(JSON.stringify(seen.shown), /sk-acme/);
    });

    test(`${mode}: the last turn without tools, and a limit that a budget lowers`, async () => {
      const call = { goal: "Look.", max_iterations: 2, max_cost_usd: 0.1 };
      assertSame(
        await runAndShow(call, { config: { providers: { acme: provider("ACME", mode) } }, script: looksTwice }, 3),
      );
    });

    test(`${mode}: after a fallback from another format`, async () => {
      const from = API_MODES[(API_MODES.indexOf(mode) + 1) % API_MODES.length] ?? mode;
      const config = {
        providers: { acme: provider("ACME", from), beta: provider("BETA", mode) },
        models: { big: { model: "acme-1", provider: "acme", fallbacks: ["beta-1 --provider beta"] } },
      };
      const script: Script = (request) =>
        request.model === "acme-1" && stepOf(request) === 2
          ? { fault: { kind: "quota-exhausted", status: 402 } }
          : looksTwice(request);
      const seen = await runAndShow({ goal: "Look.", model: "big" }, { config, script }, 4);
      assertSame(seen);
      assert.deepEqual(
        seen.shown.map(({ model }) => model),
        ["acme-1", "acme-1", "beta-1", "beta-1"],
      );
    });

    test(`${mode}: with images that a tool showed, and those that a fallback cannot be shown`, async () => {
      const from = API_MODES[(API_MODES.indexOf(mode) + 1) % API_MODES.length] ?? mode;
      const config = {
        providers: { acme: provider("ACME", from), beta: provider("BETA", mode) },
        models: { big: { model: "acme-1", provider: "acme", fallbacks: ["beta-1 --provider beta"] } },
      };
      const script: Script = (request) => {
        if (request.model === "acme-1" && stepOf(request) === 2)
          return { fault: { kind: "quota-exhausted", status: 402 } };
        const paths = [["dot.png", "dot.gif"], ["dot.gif"]][stepOf(request) - 1];
        const toolCalls = paths?.map((path, at) => ({
          id: `call_${stepOf(request)}${at}`,
          name: "read_file",
          input: { path },
        }));
        return toolCalls === undefined ? { text: "done ✓" } : { toolCalls };
      };
      const seen = await runAndShow(
        { goal: "Look.", model: "big" },
        { config, script, files: { "work/dot.png": TINY_PNG, "work/dot.gif": TINY_GIF } },
        4,
      );
      assertSame(seen);
      const shown = seen.sent.map(({ messages }) => messages.flatMap(({ images = [] }) => images).length);
      assert.deepEqual(shown, expectedImages(from, mode));
    });

    test(`${mode}: through compactions, the requests for summaries among them`, async () => {
      const script: Script = (request) => {
        if (request.tools.length === 0) return { text: "Done: read. Open: answer." };
        return request.index < 14
          ? {
              toolCalls: [
                { id: `c${request.index}`, name: "read_file", input: { path: `long-${request.index % 3}.txt` } },
              ],
            }
          : { text: "done" };
      };
      const long = Object.fromEntries([0, 1, 2].map((n) => [`work/long-${n}.txt`, `line ${n}\n`.repeat(600)]));
      const config = { providers: { acme: provider("ACME", mode, 8_000) }, delegation: { stall_seconds: 0 } };
      const { outcome, requests } = await stage({ config, files: long, script }, async (place) => {
        const journal = createMemoryJournal();
        const library = createDeputy({ ...place, journal });
        const { delegation_id: id, results } = await library.delegate({ goal: "Read all." });
        await library.close();
        const calls = results[0]?.api_calls ?? 0;
        return { shown: await showAll(journal, place, id, calls), results };
      });
      assertSame({ sent: requests, shown: outcome.shown, journal: createMemoryJournal() });
      assert.ok((outcome.results[0]?.compactions ?? 0) > 0, "expected a compaction");
    });
  }

  test("Claude's marks for the cache", async () => {
    const acme = { ...provider("ACME", "anthropic_messages"), default_model: "claude-sonnet-5" };
    const seen = await runAndShow({ goal: "Look." }, { config: { providers: { acme } }, script: looksTwice }, 3);
    assertSame(seen);
    assert.match(seen.shown[2]?.body ?? "", /"messages":.*"cache_control"/);
  });

  test("Claude's marks for the cache, on OpenRouter", async () => {
    const openrouter = { ...provider("ACME", "chat_completions"), default_model: "anthropic/claude-sonnet-5" };
    const seen = await runAndShow(
      { goal: "Look.", provider: "openrouter" },
      { config: { providers: { openrouter } }, script: looksTwice },
      3,
    );
    assertSame(seen);
    assert.match(seen.shown[2]?.body ?? "", /"role":"tool".*"cache_control"/);
  });

  test("a parameter that the vendor rejected is left out, as it was when the request was sent", async () => {
    const script: Script = (request) =>
      "stream_options" in request.body
        ? { fault: { kind: "parameter-unsupported", parameter: "stream_options" } }
        : looksTwice(request);
    const { shown, sent } = await runAndShow(
      { goal: "Look." },
      { config: { providers: { acme: provider("ACME", "chat_completions") } }, script },
      3,
    );
    assert.ok("stream_options" in JSON.parse(shown[0]?.body ?? "{}"), "the first request had it");
    assert.equal(sent.length, 4);
    assert.equal(shown[1]?.body, JSON.stringify(sent[2]?.body));
    assert.equal(shown[2]?.body, JSON.stringify(sent[3]?.body));
    assert.deepEqual(
      shown.flatMap(({ differences }) => differences),
      [],
    );
  });
});

describe("what cannot be shown is said", () => {
  const scene: Scene = { config: { providers: { acme: provider("ACME", "chat_completions") } }, script: looksTwice };

  test("a request that was never sent", async () => {
    await assert.rejects(
      runAndShow({ goal: "Look." }, scene, 4),
      /Expected a request from 1; found 4\. .+\.1 has sent 3 requests so far\./,
    );
  });

  test("a run with several children, without a child's number", async () => {
    await stage(scene, async (place) => {
      const journal = createMemoryJournal();
      const library = createDeputy({ ...place, journal });
      const { delegation_id: id } = await library.delegate({ tasks: [{ goal: "One." }, { goal: "Two." }] });
      await assert.rejects(library.request(id, 1), new RegExp(`Expected a child, ${id}.1 to ${id}.2, with --request`));
      await assert.rejects(library.request(`${id}.3`, 1), /has 2 children; found no/);
      await library.close();
    });
  });

  test("content that is gone, and a body that was written by other code", async () => {
    const { journal } = await runAndShow({ goal: "Look.", files: ["plan.md"] }, { ...scene, files }, 3);
    const changed = createMemoryJournal();
    let id = "";
    for await (const { event } of journal.read({})) {
      id = event.delegationId;
      if (event.kind === "file-add") continue;
      if (event.kind === "step-start" && event.step === 2) await changed.append([{ ...event, dialectVersion: 0 }]);
      else await changed.append([event]);
    }
    await stage(scene, async (place) => {
      const [first, second] = await showAll(changed, place, `${id}.1`, 2);
      assert.deepEqual(first?.differences, ["The journal does not contain the file plan.md."]);
      assert.deepEqual(second?.differences, ["The journal does not contain the file plan.md."]);
    });
  });
});
