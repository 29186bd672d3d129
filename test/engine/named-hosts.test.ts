/** Whose words open a host: a page is read without approval if the user named its host, not if a model or a file did. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { DelegateOptions } from "../../src/engine/deputy.ts";
import type { Asker } from "../../src/engine/engine.ts";
import type { CallInput } from "../../src/task.ts";
import type { Script } from "../../src/testing/index.ts";
import { calls } from "../fields/effects.ts";
import { createWebServer } from "../support/web-server.ts";
import { command, type Document, play, type Scene } from "../support/whole-stage.ts";

/** Fetches a page with the first request that offers the tool for it, and answers with the result. */
function fetches(url: string): Script {
  return calls({ name: "web_fetch", input: { url } });
}

/** Pages of this machine at the host `localhost`, and the targets that the user was asked about and denied. */
async function fetching(
  call: (host: string) => CallInput,
  { script, ...scene }: Omit<Scene, "script"> & { script?: (url: string) => Script; config?: Document } = {},
) {
  await using pages = await createWebServer(({ url }) =>
    url === "/away" ? { status: 302, location: `http://127.0.0.1:${pages.port}/far` } : { body: "the page" },
  );
  const asked: string[] = [];
  const asker: Asker = async ({ target }) => {
    asked.push(target.replace(/:\d+/, ""));
    return { allowed: false, reason: "not today" };
  };
  const host = `localhost:${pages.port}`;
  const options: DelegateOptions = { asker, ...scene.options };
  const config = { ...scene.config, web: { private_hosts: ["localhost", "127.0.0.1"] } };
  const played = await play(call(host), {
    ...scene,
    config,
    options,
    script: (script ?? fetches)(`http://${host}/a`),
  });
  return { asked, arrivals: pages.arrivals.map(({ url }) => url), ...played, told: played.results[0]?.summary ?? "" };
}

test("the goal, the task's context and the call's context name hosts", async () => {
  for (const call of [
    (host: string) => ({ goal: `Read http://${host}/b` }),
    (host: string) => ({ goal: `Read ${host}` }),
    (host: string) => ({ goal: "Read it", context: `It is at http://${host.toUpperCase()}/b.` }),
    (host: string) => ({ context: `http://${host}/`, tasks: [{ goal: "Read it" }] }),
  ]) {
    const { asked, told } = await fetching(call);
    assert.deepEqual(asked, []);
    assert.match(told, /the page$/);
  }
});

test("a task's own context names hosts for that task alone", async () => {
  const { asked, results } = await fetching((host) => ({
    tasks: [{ goal: "Read it", context: `(http://${host})` }, { goal: "Read it too" }],
  }));
  assert.deepEqual(asked, ["http://localhost/a"]);
  assert.match(results[0]?.summary ?? "", /the page$/);
  assert.match(results[1]?.summary ?? "", /^Not allowed/);
});

test("a host that nobody named, or one on another port or with another name, is asked about", async () => {
  for (const goal of ["Read it", "Read http://127.0.0.1/a", "Read http://localhost:1/a", "Read http://a.localhost/"]) {
    const { asked, told, arrivals } = await fetching(() => ({ goal }));
    assert.deepEqual(asked, ["http://localhost/a"], goal);
    assert.match(told, /^Not allowed: not today/);
    assert.deepEqual(arrivals, []);
  }
});

test("a file of the task, an agent's prompt and what a page says name no host", async () => {
  const files = { "work/notes.txt": "Read http://localhost/a and localhost" };
  const { asked } = await fetching(() => ({ goal: "Read it", files: ["notes.txt"] }), { files });
  assert.deepEqual(asked, ["http://localhost/a"]);
  const agents = { reader: { prompt: "Read http://localhost/a" } };
  const byAgent = await fetching(() => ({ goal: "Read it", agent: "reader" }), { config: { agents } });
  assert.deepEqual(byAgent.asked, ["http://localhost/a"]);
});

test("a call that a model wrote names none, with or without a user behind it", async () => {
  for (const call of [
    (host: string) => ({ goal: `Read http://${host}/a` }),
    (host: string) => ({ context: `http://${host}/`, tasks: [{ goal: "Read it", context: host }] }),
  ]) {
    const { asked, told } = await fetching(call, { options: { askedBy: "model" } });
    assert.deepEqual(asked, ["http://localhost/a"]);
    assert.match(told, /^Not allowed/);
  }
});

test("a child passes on the hosts that the user named to it, and none that it names itself", async () => {
  const delegates =
    (url: string): Script =>
    (request) => {
      const isParent = request.tools.some(({ name }) => name === "delegate_task");
      const call = { tasks: [{ goal: `Read ${url}`, context: url }] };
      return isParent
        ? calls({ name: "delegate_task", input: call })(request)
        : calls({ name: "web_fetch", input: { url } })(request);
    };
  const orchestrates = (goal: string) => () => ({ goal, role: "orchestrator" as const });
  const config = { delegation: { max_spawn_depth: 2 } };
  const unnamed = await fetching(orchestrates("Read it"), { script: delegates, config });
  assert.deepEqual(unnamed.asked, ["http://localhost/a"]);
  const named = await fetching(orchestrates("Read http://localhost/"), { script: delegates, config });
  assert.deepEqual([named.asked, named.arrivals], [[], ["/a"]]);
});

test("a redirect to a host that nobody named ends with its URL, and asks nobody", async () => {
  const script = (url: string) => fetches(url.replace("/a", "/away"));
  const { asked, told, arrivals } = await fetching(() => ({ goal: "Read http://localhost/away" }), { script });
  assert.deepEqual([asked, arrivals], [[], ["/away"]]);
  assert.match(
    told,
    /^The page redirects to http:\/\/127\.0\.0\.1:\d+\/far, which was not fetched: .*request approval\.$/,
  );
  const both = await fetching(() => ({ goal: "Read http://localhost/away, then 127.0.0.1" }), { script });
  assert.match(both.told, /the page$/);
});

test("rules come before what is named, and a denied page is not fetched", async () => {
  const permissions = [{ tool: "web_fetch", match: "http://localhost*", then: "deny" }];
  const { asked, told, arrivals } = await fetching(() => ({ goal: "Read http://localhost/" }), {
    config: { permissions },
  });
  assert.deepEqual([asked, arrivals], [[], []]);
  assert.match(told, /^Not allowed: the rule `web_fetch: http:\/\/localhost\*` says deny/);
});

test("the user's message in a chat names hosts; what is piped to it does not", async () => {
  await using pages = await createWebServer();
  const scene = {
    config: { web: { private_hosts: ["localhost"] } },
    script: fetches(`http://localhost:${pages.port}/a`),
    files: { "work/notes.txt": "http://localhost/" },
  };
  const said = async (message: string, stdin = "") => (await command(["chat", "-p", message], scene, stdin)).stdout;
  assert.match(await said("Read http://localhost/a"), /the page/);
  assert.match(await said("-", "Read http://localhost/a"), /the page/);
  assert.match(await said("Sum this up.", "Visit http://localhost/a"), /Not allowed/);
  assert.equal(pages.arrivals.length, 2);
});
