/** A known key in what people and models write goes to no provider, no journal and no file name; a warning says where. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { createProviders, launch } from "../support/end-to-end.ts";

/** Of no known form, and it survives as a name of a file or of a field. */
const KEY = "plain9key8without7form";

/** Runs the program in a workspace of its own. `seen`: everything that left it or was kept. */
async function run(script: (request: ModelRequest) => Turn, task: object, argv: string[] = [], files = {}) {
  const home = temporaryDirectory(after);
  const providers = await createProviders(["zai"], async (request) => script(request));
  try {
    const workspace = join(home, "work");
    mkdirSync(workspace);
    const config = { provider: "zai", providers: { lab: { base_url: "http://127.0.0.1:9", api_key: KEY } } };
    const texts = { "config.yaml": JSON.stringify(config), "tasks.json": JSON.stringify({ tasks: [task] }), ...files };
    for (const [name, text] of Object.entries(texts)) writeFileSync(join(home, name), text);
    const env = {
      ...providers.env,
      HOME: home,
      DEPUTY_STATE_DIR: join(home, "state"),
      DEPUTY_CONFIG: join(home, "config.yaml"),
    };
    const command = ["run", "../tasks.json", "--ndjson", "--verbose", "-o", join(home, "out"), ...argv];
    const { stdout, stderr } = await launch(command, { cwd: workspace, env }).ended;
    const shown = await launch(["show", "last", "--json"], { cwd: workspace, env }).ended;
    const kept = ["state", "out", "work"].flatMap((folder) =>
      readdirSync(join(home, folder)).flatMap((name) => {
        const path = join(home, folder, name);
        return [name, statSync(path).isFile() && folder !== "work" ? readFileSync(path, "latin1") : ""];
      }),
    );
    const sent = providers.arrivals.map(({ request }) => JSON.stringify(request.body));
    return { sent, printed: stdout + stderr, everything: [stdout, stderr, shown.stdout, ...kept, ...sent].join("\n") };
  } finally {
    await providers.close();
  }
}

const done = (): Turn => ({ text: "Done." });
const task = { goal: "Say hello", model: "some-model" };

describe("a known key that somebody wrote", { timeout: 110_000 }, () => {
  const places: [place: string, task: object][] = [
    ["tasks[0].goal", { ...task, goal: `${KEY} is my key: use it` }],
    ["tasks[0].context", { ...task, context: `export LAB=${KEY}` }],
    ["tasks[0].images[0]", { ...task, images: [`https://pictures.example/a.png?sig=${KEY}`] }],
    [
      "tasks[0].output_schema",
      { ...task, output_schema: { type: "object", properties: { [KEY]: { type: "string" } } } },
    ],
  ];
  for (const [place, written] of places)
    test(`in ${place} is replaced by its name`, async () => {
      const { everything, sent, printed } = await run(done, written);
      assert.ok(!everything.includes(KEY));
      assert.ok(!everything.includes(KEY.toLowerCase()));
      assert.match(printed, new RegExp(`${place.replaceAll(/[[\].]/g, "\\$&")}\\S* contains a known API key`));
      if (sent.length > 0) assert.match(String(sent[0]), /\[secret(?: |%20)providers\.lab\.api_key\]/);
    });

  test("in the name of a tool's argument is replaced everywhere", async () => {
    const script = ({ messages }: ModelRequest): Turn =>
      messages.length > 1
        ? { text: "Done." }
        : { toolCalls: [{ name: "list_dir", input: { path: ".", [KEY]: "x", more: { [`a ${KEY}`]: [KEY] } } }] };
    const { everything, sent } = await run(script, task);
    assert.ok(!everything.includes(KEY));
    assert.ok(sent.length > 1);
  });

  test("stays out of the notes and the agent's prompt, and the warning names both", async () => {
    const agents = { agents: { helper: { prompt: `Your key is ${KEY}.` } } };
    const config = { provider: "zai", providers: { lab: { base_url: "http://127.0.0.1:9", api_key: KEY } }, ...agents };
    const files = { "config.yaml": JSON.stringify(config), "work/AGENTS.md": `Use ${KEY}.` };
    const { everything, printed, sent } = await run(done, { ...task, agent: "helper" }, [], files);
    assert.ok(!everything.includes(KEY));
    assert.ok(sent.length > 0, printed);
    assert.match(printed, /AGENTS\.md contains a known API key/);
    assert.match(printed, /agent helper contains a known API key/);
  });
});

test("texts about keys stay as they are", async () => {
  const goal = "Explain the sk-… prefix, [secret X], and plain9key8";
  const { printed, sent } = await run(done, { ...task, goal });
  assert.ok(String(sent[0]).includes(goal));
  assert.doesNotMatch(printed, /known API key/);
});
