// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** `notify.command` and `notify.webhook`: an approval request and the end of a run reach the user, who may be elsewhere. */
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, test } from "node:test";
import type { Asker } from "../../../src/engine/engine.ts";
import type { Script } from "../../../src/testing/index.ts";
import { delegates, runs } from "../../fields/effects.ts";
import { createReceiver, type Received } from "../../support/webhook-receiver.ts";
import { command, play, type Scene } from "../../support/whole-stage.ts";

const WORDS = `printf '%s\\n' >> words`;
const NO: Asker = async () => ({ allowed: false, reason: "no" });
/** A user who never answers. */
const AWAY: Asker = () => new Promise(() => {});

const asks = (config: object, options: Scene["options"] = { asker: NO }): Scene => ({
  config: { notify: config },
  script: runs("touch ran"),
  options,
});
const ofType = (received: readonly Received[], type: string) => received.filter(({ payload }) => payload.type === type);

describe("notify.command", () => {
  test("gets a title and a text at an approval request and at the end of a long run", async () => {
    const { files, result } = await play({ goal: "one" }, asks({ command: WORDS, after_seconds: 0 }));
    const [first, second, third, fourth] = (files["work/words"] ?? "").split("\n");
    assert.deepEqual([first, third], ["Deputy: approval needed", "Deputy: run ended"]);
    assert.equal(second?.replace(" in the sandbox", ""), `${result.delegation_id}.1 asks to run terminal: touch ran`);
    assert.match(fourth ?? "", new RegExp(`^${result.delegation_id}: 1 of 1 completed \\(\\d+ s · cost unknown\\)$`));
  });

  test("says nothing at the end of a short run, or of a request that nobody can answer", async () => {
    assert.equal((await play({ goal: "one" }, asks({ command: WORDS }, {}))).files["work/words"], undefined);
  });

  test("gets a command of a model as one word, spelled out, which the shell does not read", async () => {
    for (const line of [
      "echo '$(touch hacked)' `touch hacked`",
      "echo $'\\e[2J' \u001b[2J \u202e",
      "'; touch hacked #",
    ]) {
      const { files } = await play({ goal: "one" }, { ...asks({ command: WORDS }), script: runs(line) });
      assert.equal(files["work/words"]?.split("\n").length, 3, line);
      assert.doesNotMatch(files["work/words"] ?? "", /[^\n -~]/, line);
      assert.equal("work/hacked" in files, false, line);
    }
  });

  test("that fails is one warning", async () => {
    const config = { notify: { command: "false", after_seconds: 0 } };
    const { code, stderr } = await command(["run", "--goal", "one"], { config });
    assert.equal(code, 0);
    assert.match(stderr, /^! notify\.command ended with exit code 1\. /m);
  });
});

describe("notify.webhook", () => {
  const env = { HOOK_TOKEN: "token-6d1f93", HOOK_SECRET: `whsec_${Buffer.from("a shared secret").toString("base64")}` };

  test("posts an approval request and the run's end, with its headers, signed", async () => {
    const arrived = Promise.withResolvers<void>();
    await using receiver = await createReceiver((_, response) => {
      response.end();
      arrived.resolve();
    });
    const asker: Asker = async () => {
      await arrived.promise;
      return { allowed: false, reason: "no" };
    };
    const webhook = {
      url: `${receiver.url}/deputy`,
      headers: { authorization: "Bearer ${HOOK_TOKEN}" },
      secret: "${HOOK_SECRET}",
    };
    const { result } = await play({ goal: "one" }, { ...asks({ webhook }, { asker }), env });
    const [ask, end] = [ofType(receiver.received, "approval-request"), ofType(receiver.received, "run-end")].flat();
    assert.ok(ask && end);
    assert.equal(receiver.received.length, 2);
    const { delegation_id, child_id, goal, tool, command: asked, request, answer_by } = ask.payload;
    const id = result.delegation_id;
    assert.deepEqual([delegation_id, child_id, goal, tool, asked], [id, `${id}.1`, "one", "terminal", "touch ran"]);
    assert.match(String(request), /^[0-9a-f]{12}$/);
    assert.ok(Date.parse(String(answer_by)) > 0);
    assert.deepEqual(end.payload.children, [{ child_id: `${id}.1`, goal: "one", status: "completed" }]);
    for (const { method, path, headers, body } of receiver.received) {
      assert.deepEqual([method, path, headers.authorization], ["POST", "/deputy", `Bearer ${env.HOOK_TOKEN}`]);
      const signedText = `${headers["webhook-id"]}.${headers["webhook-timestamp"]}.${body}`;
      const signature = createHmac("sha256", "a shared secret").update(signedText).digest("base64");
      assert.equal(headers["webhook-signature"], `v1,${signature}`);
    }
  });

  test("denies a request with its response, with the reason for the child", async () => {
    await using receiver = await createReceiver((_, response) =>
      response.end(JSON.stringify({ deny: true, reason: "not on a Friday" })),
    );
    const { result, files } = await play({ goal: "one" }, asks({ webhook: { url: receiver.url } }, { asker: AWAY }));
    assert.match(result.results[0]?.summary ?? "", /not on a Friday/);
    assert.equal("work/ran" in files, false);
  });

  test("denies a request of a child's delegation, too", async () => {
    await using receiver = await createReceiver((_, response) => response.end('{"deny":true,"reason":"not below"}'));
    const outer = delegates({ goal: "inner", toolsets: ["terminal"] });
    const script: Script = (request) =>
      request.tools.some(({ name }) => name === "delegate_task") ? outer(request) : runs("touch ran")(request);
    const call = { goal: "outer", role: "orchestrator" as const };
    const config = { notify: { webhook: { url: receiver.url } }, delegation: { max_spawn_depth: 2 } };
    const { result, files } = await play(call, { config, script, options: { asker: AWAY } });
    const [ask] = ofType(receiver.received, "approval-request");
    assert.equal(ask?.payload.child_id, `${result.delegation_id}.1.1.1`);
    assert.match(result.results[0]?.summary ?? "", /not below/);
    assert.equal("work/ran" in files, false);
  });

  test("never approves, whatever the response says", async () => {
    for (const answer of [
      { allow: true },
      { deny: false },
      { deny: "true" },
      { approve: true, allowed: true },
      [],
      1,
    ]) {
      await using receiver = await createReceiver((_, response) => response.end(JSON.stringify(answer)));
      const config = { notify: { webhook: { url: receiver.url } }, delegation: { approval_timeout_seconds: 0.3 } };
      const { files, result } = await play({ goal: "one" }, { ...asks({}, { asker: AWAY }), config });
      assert.match(result.results[0]?.summary ?? "", /nobody answered within 0\.3 s/, JSON.stringify(answer));
      assert.equal("work/ran" in files, false, JSON.stringify(answer));
    }
  });

  test("does not decide what the user has decided first", async () => {
    const held: ServerResponse[] = [];
    await using receiver = await createReceiver((_, response) => void held.push(response));
    const asker: Asker = async () => ({ allowed: true, reason: "yes" });
    const webhook = { url: receiver.url };
    const { files } = await play(
      { goal: "one" },
      {
        ...asks({ webhook }, { asker }),
        watch: ({ kind }) => {
          if (kind === "delegation-end") for (const response of held) response.destroy();
        },
      },
    );
    assert.ok("work/ran" in files);
  });

  test("is tried once more when the receiver is busy, and its failure is one warning", async () => {
    await using receiver = await createReceiver((_, response) => response.writeHead(503).end());
    const { code, stderr } = await command(["run", "--goal", "one"], {
      config: { notify: { webhook: { url: receiver.url } } },
    });
    assert.equal(code, 0);
    assert.equal(receiver.received.length, 2);
    assert.deepEqual(new Set(receiver.received.map(({ headers }) => headers["webhook-id"])).size, 1);
    assert.match(stderr, /^! notify\.webhook answered with HTTP 503\. /m);
  });

  test("follows no redirect", async () => {
    await using other = await createReceiver();
    await using receiver = await createReceiver((_, response) =>
      response.writeHead(307, { location: other.url }).end(),
    );
    const webhook = { url: receiver.url, headers: { authorization: "Bearer ${HOOK_TOKEN}" } };
    const { stderr } = await command(["run", "--goal", "one"], { config: { notify: { webhook } }, env });
    assert.deepEqual([receiver.received.length, other.received.length], [1, 0]);
    assert.match(stderr, /notify\.webhook answered with HTTP 307/);
  });

  test("keeps its secrets from commands, from the config's printout and from warnings", async () => {
    const variables = { HOOK_PATH: "services-b91c77", PLAIN_NAME: "plain-but-secret-4471" };
    const webhook = { url: "http://127.0.0.1:9/${HOOK_PATH}", headers: { "x-team": "${PLAIN_NAME}" } };
    const scene: Scene = {
      config: { notify: { webhook }, permissions: [{ tool: "terminal", then: "allow" }] },
      env: variables,
      script: runs("env; echo done"),
    };
    const played = await command(["run", "--goal", "one", "--json"], scene);
    const shown = await command(["config", "show"], scene);
    for (const text of [played.stdout, played.stderr, shown.stdout, JSON.stringify(played.requests)])
      for (const value of Object.values(variables)) assert.equal(text.includes(value), false);
    assert.match(shown.stdout, /\$\{HOOK_PATH\}/);
  });

  test("is rejected if a variable decides where it goes, or it is no URL", async () => {
    for (const url of [
      "${HOOK_URL}",
      "https://${HOST}/x",
      "https://a.example${HOST}/x",
      "ftp://a.example/",
      "a.example",
    ]) {
      const { code, stderr } = await command(["run", "--goal", "one"], {
        config: { notify: { webhook: { url } } },
        env,
      });
      assert.equal(code, 2, url);
      assert.match(stderr, /notify\.webhook\.url: expected an http or https URL/, url);
    }
  });
});

describe("a trusted project's webhook", () => {
  test("replaces the user's as a whole: it never gets the user's headers", async () => {
    await using receiver = await createReceiver();
    const user = { url: "http://127.0.0.1:9/", headers: { authorization: "Bearer ${HOOK_TOKEN}" } };
    await play(
      { goal: "one" },
      {
        config: { notify: { webhook: user } },
        project: { notify: { webhook: { url: receiver.url } } },
        env: { HOOK_TOKEN: "token-6d1f93" },
      },
    );
    assert.equal(receiver.received.length, 1);
    assert.equal(receiver.received[0]?.headers.authorization, undefined);
  });
});
