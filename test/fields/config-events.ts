// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** The config's settings for taking events outside: hooks, notifications. */
import assert from "node:assert/strict";
import { createReceiver, type Received } from "../support/webhook-receiver.ts";
import { command, type Document, play } from "../support/whole-stage.ts";
import { ACME_REFUSES, type Effects } from "./effects.ts";

/** The lines that a hook wrote into `seen`. */
async function seen(hook: Document, scene: Parameters<typeof play>[1] = {}): Promise<string[]> {
  const hooks = [{ on: "child-end", command: "cat >> seen", ...hook }];
  const { files } = await play({ goal: "one" }, { ...scene, config: { hooks } });
  return (files["work/seen"] ?? "").split("\n").filter((line) => line !== "");
}

/** The requests that a webhook received. */
async function posted(webhook: Document): Promise<Received[]> {
  await using receiver = await createReceiver();
  const config = { notify: { webhook: { ...webhook, url: `${receiver.url}/\${HOOK_PATH}` } } };
  await play({ goal: "one" }, { config, env: { HOOK_PATH: "from-the-environment" } });
  return receiver.received;
}

const HOOK_EFFECTS: Effects = {
  hooks: async () => {
    const on = "child-end";
    const hooks = [1, 2].map((number) => ({ on, command: `echo ${number} >> seen` }));
    assert.equal((await play({ goal: "one" }, { config: { hooks } })).files["work/seen"], "1\n2\n");
    assert.equal((await play({ goal: "one" })).files["work/seen"], undefined);
  },
  "hooks[].on": async () => {
    assert.equal((await seen({ on: "child-start" })).length, 1);
    assert.equal((await seen({ on: ["child-start", "child-end", "pause-start"] })).length, 2);
    for (const on of ["text-delta", "child-ends", []]) {
      const { code } = await command(["run", "--goal", "one"], { config: { hooks: [{ on, command: "true" }] } });
      assert.equal(code, 2);
    }
  },
  "hooks[].status": async () => {
    const scene = { script: ACME_REFUSES };
    assert.equal((await seen({ status: ["failed"] }, scene)).length, 1);
    assert.equal((await seen({ status: ["completed"] }, scene)).length, 0);
    const hooks = [{ on: "child-start", status: ["failed"], command: "true" }];
    assert.match((await command(["run", "--goal", "one"], { config: { hooks } })).stderr, /hooks\[0\]\.status/);
  },
  "hooks[].command": async () => {
    assert.deepEqual(await seen({ command: "echo it ran > seen" }), ["it ran"]);
  },
  "hooks[].timeout_seconds": async () => {
    const line = "sleep 1; echo late > seen";
    assert.deepEqual(await seen({ command: line, timeout_seconds: 0.05 }), []);
    assert.deepEqual(await seen({ command: line }), ["late"]);
  },
};

const NOTIFY_EFFECTS: Effects = {
  notify: async () => {
    // Maps of two files are merged.
    const project = { notify: { after_seconds: 0 } };
    const { files } = await play({ goal: "one" }, { config: { notify: { command: "echo told > told #" } }, project });
    assert.equal(files["work/told"], "told\n");
  },
  "notify.after_seconds": async () => {
    const told = async (after_seconds: number) => {
      const config = { notify: { command: "echo told > told #", after_seconds } };
      return "work/told" in (await play({ goal: "one" }, { config })).files;
    };
    assert.deepEqual([await told(0), await told(60)], [true, false]);
  },
  "notify.command": async () => {
    const notify = { command: "printf '%s' > told", after_seconds: 0 };
    assert.match((await play({ goal: "one" }, { config: { notify } })).files["work/told"] ?? "", /^Deputy: run ended/);
  },
  "notify.webhook": async () => assert.equal((await posted({})).length, 1),
  "notify.webhook.url": async () => assert.equal((await posted({}))[0]?.path, "/from-the-environment"),
  "notify.webhook.headers": async () => {
    assert.equal((await posted({ headers: { "X-Team": "research" } }))[0]?.headers["x-team"], "research");
  },
  "notify.webhook.headers.*": async () => {
    assert.equal(
      (await posted({ headers: { "x-path": "a ${HOOK_PATH}" } }))[0]?.headers["x-path"],
      "a from-the-environment",
    );
  },
  "notify.webhook.secret": async () => {
    const signed = async (secret: Document) => (await posted(secret))[0]?.headers["webhook-signature"];
    assert.match(String(await signed({ secret: "whsec_c2VjcmV0" })), /^v1,[\w+/]{43}=$/);
    assert.equal(await signed({}), undefined);
  },
};

export const EVENT_EFFECTS: Effects = { ...HOOK_EFFECTS, ...NOTIFY_EFFECTS };
