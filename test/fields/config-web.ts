// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** The config's settings for the web: which pages children read, and the engine they search with. */
import assert from "node:assert/strict";
import type { Asker } from "../../src/engine/engine.ts";
import { createWebServer } from "../support/web-server.ts";
import { type Document, play, refusal, type Scene } from "../support/whole-stage.ts";
import { calls, type Effects } from "./effects.ts";

const NO: Asker = async () => ({ allowed: false, reason: "not today" });
const ALLOWED = { permissions: [{ tool: "web_fetch", then: "allow" }] };

/** What a child is told when it fetches a page of this machine. */
async function fetched(config: (host: string) => Document): Promise<string> {
  await using pages = await createWebServer();
  const script = calls({ name: "web_fetch", input: { url: `${pages.url}/a` } });
  const { results } = await play({ goal: "one" }, { config: config(pages.host), script, options: { asker: NO } });
  return results[0]?.summary ?? "";
}

const HITS = JSON.stringify({ results: [{ title: "A page", url: "https://a.test/", content: "about a" }] });

/** What a child finds with a search engine on this machine, and the headers that arrived there. */
async function searched(search: (url: string) => Document, scene: Scene = {}) {
  await using engine = await createWebServer(() => ({ type: "application/json", body: HITS }));
  const script = calls({ name: "web_search", input: { query: "lions & tigers" } });
  const { results } = await play(
    { goal: "one" },
    { ...scene, config: { web: { search: search(engine.url) } }, script },
  );
  const [arrival] = engine.arrivals;
  return { told: results[0]?.summary ?? "", url: arrival?.url, authorization: arrival?.headers.authorization };
}

const searxng = (more: Document = {}) =>
  searched((url) => ({ engine: "searxng", base_url: url, ...more }), { env: { SEARCH_KEY: "key-71c4-9f" } });

export const WEB_EFFECTS: Effects = {
  web: async () => assert.match((await refusal({ goal: "one" }, { config: { web: { host: [] } } })).message, /hosts/),
  "web.hosts": async () => {
    const opened = (hosts: string[]) => fetched((host) => ({ web: { hosts, private_hosts: [host] } }));
    assert.match(await opened(["127.0.0.1"]), /the page$/);
    assert.match(await opened(["127.*"]), /the page$/);
    assert.match(await opened(["127.0.0.1:1", "localhost"]), /Not allowed: not today/);
  },
  "web.private_hosts": async () => {
    assert.match(await fetched((host) => ({ ...ALLOWED, web: { private_hosts: [host] } })), /the page$/);
    assert.match(await fetched(() => ALLOWED), /^Refused: expected a public address/);
    for (const wrong of ["*", "http://a.test", "a/b", ""])
      assert.match(
        (await refusal({ goal: "one" }, { config: { web: { private_hosts: [wrong] } } })).message,
        /a host such/,
      );
  },
  "web.search": async () => {
    const { requests } = await play({ goal: "one" });
    assert.ok(!requests[0]?.tools.some(({ name }) => name === "web_search"));
    assert.match((await searxng()).told, /1\. A page\n {3}https:\/\/a\.test\/\n {3}about a$/);
  },
  "web.search.engine": async () => {
    assert.equal((await searxng()).url, "/search?q=lions+%26+tigers&format=json");
    const config = { web: { search: { engine: "altavista" } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /searxng/);
  },
  "web.search.base_url": async () => {
    const { url } = await searched((origin) => ({ engine: "searxng", base_url: `${origin}/below/` }));
    assert.equal(url, "/below/search?q=lions+%26+tigers&format=json");
    const config = { web: { search: { engine: "searxng" } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /base_url/);
  },
  "web.search.api_key": async () => {
    assert.equal((await searxng()).authorization, undefined);
    assert.equal((await searxng({ api_key: "${SEARCH_KEY}" })).authorization, "Bearer key-71c4-9f");
    assert.match((await searxng({ api_key: "${UNSET}" })).told, /has no key: UNSET is not set/);
    const config = { web: { search: { engine: "brave" } } };
    assert.match((await refusal({ goal: "one" }, { config })).message, /one of api_key/);
  },
  "web.search.api_key_env": async () =>
    assert.equal((await searxng({ api_key_env: "SEARCH_KEY" })).authorization, "Bearer key-71c4-9f"),
  "web.search.api_key_command": async () => {
    assert.equal((await searxng({ api_key_command: "echo printed-71c4" })).authorization, "Bearer printed-71c4");
    assert.match((await searxng({ api_key_command: ["false"] })).told, /has no key: .*ended with exit code 1/);
  },
};
