/** Base URLs as users paste them, and the ids and names of users' own endpoints, with the real program. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, request as requestTo } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { createModelServer, type ModelServer } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";

type Result = {
  exit_reason: string;
  error: { message: string } | null;
};

const home = temporaryDirectory(after);

/** Runs a task for each provider entry, and returns their results in order. */
async function run(providers: Record<string, object>, tasks: object[], more: object = {}): Promise<Result[]> {
  const cwd = mkdtempSync(join(home, "case-"));
  writeFileSync(join(cwd, "config.yaml"), JSON.stringify({ providers, ...more }));
  writeFileSync(join(cwd, "tasks.json"), JSON.stringify(tasks));
  const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state") };
  const { stdout, stderr } = await launch(["run", "tasks.json", "--json", "--config", "config.yaml"], { cwd, env })
    .ended;
  assert.ok(stdout !== "", stderr);
  return (JSON.parse(stdout) as { results: Result[] }).results;
}

/** The endpoint of each wire format, as its documentation spells it. */
const ENDPOINT: Record<ApiMode, string> = {
  chat_completions: "/chat/completions",
  responses: "/responses",
  anthropic_messages: "/v1/messages",
  gemini: "/models/glm-4.7:generateContent",
};

describe("a base URL", () => {
  let server: ModelServer;
  before(async () => {
    server = await createModelServer({ script: () => ({ text: "ok" }) });
  });
  after(() => server.close());

  test("with slashes at its end or its endpoint works in every wire format", async () => {
    const forms = API_MODES.flatMap((mode) => {
      const base = server.baseUrl(mode);
      const endpoint = mode === "anthropic_messages" ? base.replace(/\/v1$/, "") : base;
      return [`${base}//`, `${endpoint}${ENDPOINT[mode]}`].map((base_url) => ({
        base_url,
        api_mode: mode,
      }));
    });
    const providers = Object.fromEntries(forms.map((entry, index) => [`p${index}`, entry]));
    const tasks = forms.map((_, index) => ({ goal: "x", model: "glm-4.7", provider: `p${index}` }));
    const results = await run(providers, tasks);
    for (const [index, { exit_reason, error }] of results.entries())
      assert.equal(exit_reason, "answered", `${JSON.stringify(forms[index])}: ${error?.message}`);
  });

  test("that is an endpoint names the matching wire format", async () => {
    const providers = Object.fromEntries(
      API_MODES.map((mode) => {
        const base = server.baseUrl(mode);
        return [
          mode,
          { base_url: `${base.replace(/\/v1$/, mode === "anthropic_messages" ? "" : "/v1")}${ENDPOINT[mode]}` },
        ];
      }),
    );
    const results = await run(
      providers,
      API_MODES.map((provider) => ({ goal: "x", model: "glm-4.7", provider })),
    );
    for (const { exit_reason, error } of results) assert.equal(exit_reason, "answered", error?.message);
  });

  test("works without a scheme or a version, with doubled slashes, capitals, quotes, a fragment or a query", async () => {
    const base = server.baseUrl("chat_completions");
    const root = base.replace(/\/v1$/, "");
    const address = base.replace("http://", "");
    const forms = [
      address,
      root,
      `${root}/`,
      address.replace("/v1", ""),
      base.replace("/v1", "//v1//"),
      base.replace("http://", "HTTP://"),
      ` "${base}" `,
      `${base}#anything`,
      `${base}?api-version=2025-01-01&team=a%20b`,
      `${base}/chat/completions?team=b`,
      `${root}?team=c`,
    ];
    const asked: string[] = [];
    const gateway = createServer((request, response) => {
      asked.push(request.url ?? "");
      const isThere = request.url?.startsWith("/v1/") === true;
      if (!isThere) return void response.writeHead(404).end("Not Found");
      const options = { method: "POST", headers: request.headers };
      const onward = requestTo(new URL(request.url ?? "", root), options, (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      request.pipe(onward);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    gateway.listen(0, "127.0.0.1", resolve);
    await promise;
    const port = String((gateway.address() as AddressInfo).port);
    const providers = Object.fromEntries(
      forms.map((form, index) => [`p${index}`, { base_url: form.replace(/:\d+/, `:${port}`) }]),
    );
    const tasks = forms.map((_, index) => ({ goal: "x", model: "glm-4.7", provider: `p${index}` }));
    const results = await run(providers, tasks);
    gateway.close();
    for (const [index, { exit_reason, error }] of results.entries())
      assert.equal(exit_reason, "answered", `${forms[index]}: ${error?.message}`);
    for (const address of ["?api-version=2025-01-01&team=a+b", "?team=b", "?team=c"])
      assert.ok(asked.includes(`/v1/chat/completions${address}`), asked.join(" "));
  });

  test("that holds a key, or is none, is refused with what to write, and the key is not shown", async () => {
    for (const [base_url, told] of [
      ["http://127.0.0.1:9/v1?key=verysecret1", /without a key in its query \(key\): write the key as api_key/],
      ["127.0.0.1:9/v1?a=b&subscription-key=verysecret1", /in its query \(subscription-key\)/],
      ["http://me:verysecret1@127.0.0.1:9/v1", /without a user name or password: write the key as api_key/],
      ["mylab", /an http\(s\) URL, such as http:\/\/127\.0\.0\.1:8000\/v1/],
      ["ws://127.0.0.1:9/v1", /an http\(s\) URL, such as/],
    ] as const) {
      const cwd = mkdtempSync(join(home, "case-"));
      writeFileSync(join(cwd, "config.yaml"), JSON.stringify({ providers: { mylab: { base_url } } }));
      const args = ["run", "--goal", "x", "--model", "m", "--provider", "mylab", "--config", "config.yaml"];
      const env = { HOME: home, DEPUTY_STATE_DIR: join(cwd, "state") };
      const { stderr, stdout } = await launch(args, { cwd, env }).ended;
      assert.match(stderr, told);
      assert.ok(!`${stderr}${stdout}`.includes("verysecret1"), stderr);
    }
  });

  test("at which nothing is fails with the address that was asked, and a model that is none does not", async () => {
    const plain = createServer((request, response) => {
      const isModel = request.url?.includes("here") === true;
      response.writeHead(404, { "content-type": "application/json" });
      response.end(isModel ? '{"error":{"message":"The model m does not exist"}}' : '{"detail":"Not Found"}');
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    plain.listen(0, "127.0.0.1", resolve);
    await promise;
    const url = `http://127.0.0.1:${(plain.address() as AddressInfo).port}`;
    const providers = Object.fromEntries(
      API_MODES.flatMap((api_mode) => [
        [`wrong-${api_mode}`, { base_url: `${url}/x`, api_mode }],
        [`model-${api_mode}`, { base_url: `${url}/here`, api_mode }],
      ]),
    );
    const tasks = Object.keys(providers).map((provider) => ({ goal: "x", model: "m", provider }));
    const results = await run(providers, tasks);
    plain.close();
    for (const [index, { error }] of results.entries()) {
      const message = error?.message ?? "";
      if (tasks[index]?.provider.startsWith("model")) assert.doesNotMatch(message, /base_url/);
      else assert.match(message, new RegExp(`Check base_url: there is nothing at ${url}/x/\\S+\\.`));
    }
  });
});

test("a custom endpoint gets ids of any form unchanged, and another spelling of them is another model", async (t) => {
  const ids = [
    "openai/gpt-oss-120b",
    "Qwen/Qwen3-32B",
    "google/gemma-3-27b-it",
    "qwen:7b",
    "anthropic/claude-opus-4.7",
  ];
  const served = [
    "gpt-oss-120b",
    "/models/Qwen3-32B-Q4_K_M.gguf",
    "gemma-3-27b-it",
    "qwen:7b",
    "claude-opus-4-7-20260416",
  ];
  const asked: string[] = [];
  const server = await createModelServer({
    script: ({ model }) => {
      asked.push(model);
      return { text: "ok", servedModel: served[ids.indexOf(model)] ?? "another" };
    },
  });
  t.after(() => server.close());
  const results = await run(
    { mylab: { base_url: server.baseUrl("chat_completions") } },
    [...ids, "openai/gpt-oss-20b"].map((model) => ({ goal: "x", model, provider: "mylab" })),
    { delegation: { on_served_mismatch: "fail" } },
  );
  assert.deepEqual(asked.toSorted(), [...ids, "openai/gpt-oss-20b"].toSorted());
  assert.deepEqual(
    results.map(({ exit_reason }) => exit_reason),
    [...ids.map(() => "answered"), "served-mismatch"],
  );
});
