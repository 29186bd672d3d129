/** A hundred tasks, each routed differently, observed at the providers' servers. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { DelegationResult } from "../../src/result.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import {
  createProviders,
  type Ended,
  launch,
  PROVIDERS,
  type Providers,
  type Slug,
  taskOf,
} from "../support/end-to-end.ts";

const TASKS = 100;
/** Has a key, but no task uses it. */
const BYSTANDER = "xai";

const CONFIG = `
provider: zai
model: glm-4.7
providers:
  zai: { max_concurrent: 4 }
models:
  small: glm-5.3-flash
  swift: gemini-3.8-flash --provider gemini --effort low
  deep: { model: claude-opus-5-5, provider: anthropic, reasoning_effort: high }
  deeper: deep
`;

type Expected = { slug: Slug; model: string; effort?: string; tools?: string[] };
const FILE_TOOLS = ["read_file", "write_file", "edit_file", "list_dir"];
/** The GPT family changes files with patches. */
const GPT_FILE_TOOLS = FILE_TOOLS.map((name) => (name === "edit_file" ? "apply_patch" : name));
const SEARCH_TOOLS = ["glob", "grep"];
const TERMINAL_TOOLS = ["terminal", "terminal_output", "terminal_stop"];

/** The route and tools of a task, and the expected request with its server. */
const WAYS: [said: Record<string, unknown>, expected: Expected][] = [
  [{}, { slug: "zai", model: "glm-4.7" }],
  [
    { model: "inherit", reasoning_effort: "high" },
    { slug: "zai", model: "glm-4.7", effort: "high" },
  ],
  [{ model: "glm-5.1" }, { slug: "zai", model: "glm-5.1" }],
  [
    { model: "small", effort: "low" },
    { slug: "zai", model: "glm-5.3-flash", effort: "low" },
  ],
  [{ provider: "anthropic" }, { slug: "anthropic", model: "claude-sonnet-5" }],
  [
    { provider: "claude", model: "claude-haiku-5" },
    { slug: "anthropic", model: "claude-haiku-5" },
  ],
  [{ model: "deep" }, { slug: "anthropic", model: "claude-opus-5-5", effort: "high" }],
  [
    { model: "deeper", thinking: "max" },
    { slug: "anthropic", model: "claude-opus-5-5", effort: "max" },
  ],
  [{ model: "gpt-6-sol --provider openai" }, { slug: "openai", model: "gpt-6-sol" }],
  [
    { model: "--provider openai gpt-6-luna --effort xhigh", toolsets: ["search"] },
    { slug: "openai", model: "gpt-6-luna", effort: "xhigh", tools: SEARCH_TOOLS },
  ],
  [
    { provider: "openai", toolsets: "file" },
    { slug: "openai", model: "gpt-6-sol", tools: GPT_FILE_TOOLS },
  ],
  [{ model: "swift" }, { slug: "gemini", model: "gemini-3.8-flash", effort: "low" }],
  [
    { model: { model: "gemini-3.8-pro", provider: "google", reasoning_effort: "high" } },
    { slug: "gemini", model: "gemini-3.8-pro", effort: "high" },
  ],
  [
    { model: "stepfun/step-3.5-flash --provider openrouter", toolsets: ["terminal"] },
    { slug: "openrouter", model: "stepfun/step-3.5-flash", tools: TERMINAL_TOOLS },
  ],
  [
    { provider: "or", model: "deepseek/deepseek-r1:free", reasoning_effort: "medium" },
    { slug: "openrouter", model: "deepseek/deepseek-r1:free", effort: "medium" },
  ],
];

const expected = Array.from({ length: TASKS }, (_, index): Expected => {
  const [, arriving] = WAYS[index % WAYS.length] ?? assert.fail();
  const fileTools = arriving.model.includes("gpt") ? GPT_FILE_TOOLS : FILE_TOOLS;
  return { tools: [...fileTools, ...SEARCH_TOOLS, ...TERMINAL_TOOLS, "web_fetch"], ...arriving };
});

function taskFile(): string {
  const tasks = expected.map((_, index) => ({ goal: `Task ${index}`, ...WAYS[index % WAYS.length]?.[0] }));
  return JSON.stringify({ context: "All of you work for the same house.", tasks });
}

/** Long enough for all allowed requests to be in flight at once. */
const LATENCY_MS = 20;

/** Models that have a tool to write with write a file first. */
function answer(request: ModelRequest): Turn {
  const index = indexOf(request);
  const asked = request.messages.some(({ role }) => role === "tool");
  if (asked || !request.tools.some(({ name }) => name === "write_file"))
    return { text: `${index}: ${request.model}`, latencyMs: LATENCY_MS };
  return { toolCalls: [{ name: "write_file", input: { path: `answers/${index}.txt`, content: request.model } }] };
}

function indexOf(request: ModelRequest): number {
  const [, index] = /^All of you work for the same house\.\n\nTask (\d+)$/.exec(taskOf(request)) ?? [];
  return Number(index);
}

function requestsOf({ tools }: Expected): number {
  return tools?.includes("write_file") ? 2 : 1;
}

describe("a batch of 100 mixed tasks over five providers", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);
  const workspace = join(home, "workspace");
  let providers: Providers;
  let ended: Ended;

  before(async () => {
    providers = await createProviders(["zai", "anthropic", "openai", "gemini", "openrouter", BYSTANDER], answer);
    mkdirSync(workspace);
    writeFileSync(join(home, "config.yaml"), CONFIG);
    const argv = ["run", "-", "--config", "config.yaml", "--workspace", workspace, "--concurrency", "20", "--json"];
    ended = await launch(argv, { cwd: home, env: { HOME: home, ...providers.env }, stdin: taskFile() }).ended;
    providers.checkScripts();
  });

  after(() => providers.close());

  test("sends every request to the provider of its task, with that one's key, its model, effort and tools", () => {
    for (const { slug, request } of providers.arrivals) {
      const { model, effort, tools = [], ...to } = expected[indexOf(request)] ?? assert.fail(taskOf(request));
      const arrived = {
        slug,
        key: request.keyName,
        model: request.model,
        effort: request.effort,
        status: request.status,
      };
      const key = PROVIDERS[to.slug].keyVariable;
      assert.deepEqual(arrived, { slug: to.slug, key, model, effort, status: 200 }, taskOf(request));
      assert.deepEqual(request.tools.map(({ name }) => name).sort(), tools.toSorted(), taskOf(request));
      assert.equal(request.thinkingBudget, undefined);
    }
  });

  test("sends nothing else, to no other server, and each key only to its own provider", () => {
    const counts = Map.groupBy(providers.arrivals, ({ request }) => indexOf(request));
    assert.deepEqual(
      expected.map((_, index) => counts.get(index)?.length),
      expected.map(requestsOf),
    );
    for (const slug of Object.keys(PROVIDERS) as Slug[]) {
      const { count, requests } = providers.server(slug);
      assert.equal(count, providers.arrivals.filter((arrival) => arrival.slug === slug).length);
      const others = Object.entries(providers.keys).filter(([owner]) => owner !== slug);
      const received = JSON.stringify(requests.map(({ headers, body, path }) => [headers, body, path]));
      assert.deepEqual(
        others.filter(([, key]) => received.includes(key)),
        [],
      );
    }
    assert.equal(providers.server(BYSTANDER).count, 0);
  });

  test("keeps to the most a provider may have at once", () => {
    assert.ok(providers.server("zai").maxInFlight <= 4, `${providers.server("zai").maxInFlight} were in flight`);
  });

  test("returns the results in the order of the tasks, each with the route it took", () => {
    assert.equal(ended.code, 0, ended.stderr);
    const { results } = JSON.parse(ended.stdout) as DelegationResult;
    assert.deepEqual(
      results.map(({ task_index, status, summary, route, files_changed }) => ({
        task_index,
        status,
        summary,
        effective: route?.effective,
        endpoint: route?.endpoint,
        key: route?.key_name,
        served: route?.served_models,
        files_changed,
      })),
      expected.map(({ slug, model, effort, tools }, index) => ({
        task_index: index,
        status: "completed",
        summary: `${index}: ${model}`,
        effective: { provider: slug, model, reasoning_effort: effort ?? null },
        endpoint: new URL(providers.server(slug).url).host,
        key: PROVIDERS[slug].keyVariable,
        served: [model],
        files_changed: tools?.includes("write_file") ? [`answers/${index}.txt`] : [],
      })),
    );
    assert.equal(
      readdirSync(join(workspace, "answers")).length,
      expected.filter((task) => requestsOf(task) === 2).length,
    );
  });
});
