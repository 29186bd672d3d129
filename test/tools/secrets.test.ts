/** Keys: no command gets one, no output shows one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { scrubEnvironment } from "../../src/tools/environment.ts";
import { openWorkshop } from "./workshop.ts";

const KEY = "sk-0123456789abcdefghijklmnopqrstuvwxyz";
const redact = (text: string) => text.replaceAll(KEY, "[secret]");

test("a command's environment holds nothing that looks like a key, and nothing that is one", () => {
  const kept = { PATH: "/bin", HOME: "/h", PWD: "/w", OLDPWD: "/o", KEYBOARD: "us", MONKEY: "m", SSH_AUTH_SOCK: "/s" };
  const keys = [
    ..."OPENAI_API_KEY APIKEY MY_APIKEY api_key KEY AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN".split(
      " ",
    ),
    ..."GITHUB_TOKEN npm_token TOKEN AUTHTOKEN CLIENT_SECRET DB_PASSWORD PGPASSWORD MYSQL_PWD GPG_PASSPHRASE".split(
      " ",
    ),
    ..."GOOGLE_APPLICATION_CREDENTIALS AZURE_CREDENTIALS SECRET_VALUE SSH_KEYS".split(" "),
  ];
  const environment = {
    ...kept,
    ...Object.fromEntries(keys.map((name) => [name, "x"])),
    ZAI: "a provider's key by a name of its own",
    HARMLESS: `Bearer ${KEY}`,
    absent: undefined,
  };
  assert.deepEqual(scrubEnvironment(environment, ["ZAI"], [], redact), kept);
});

test("what the operator lists is passed on, but for a provider's key", () => {
  const environment = { NPM_TOKEN: "a", OTHER_TOKEN: "b", ZAI_API_KEY: "c", COPY_OF_KEY: KEY };
  const allowed = ["NPM_TOKEN", "ZAI_API_KEY", "COPY_OF_KEY"];
  assert.deepEqual(scrubEnvironment(environment, ["ZAI_API_KEY"], allowed, redact), { NPM_TOKEN: "a" });
});

test("a command sees the scrubbed environment", async (context) => {
  const { call } = openWorkshop(context, {
    environment: { PATH: process.env.PATH, NPM_TOKEN: "listed", MY_TOKEN: "unlisted", ZAI_API_KEY: "provider's" },
    terminal: { env: ["NPM_TOKEN"], keyVariables: ["ZAI_API_KEY"], timeoutMs: 10_000 },
  });
  const { text } = await call("terminal", { command: "env" });
  assert.match(text, /^NPM_TOKEN=listed$/m);
  assert.doesNotMatch(text, /unlisted|provider's/);
});

test("no tool shows a key, wherever it stands", async (context) => {
  const { call, write } = openWorkshop(context, { redact });
  write(KEY, `key=${KEY}\n`);
  const calls: [name: string, input: object][] = [
    ["read_file", { path: KEY }],
    ["write_file", { path: KEY, content: `key=${KEY}` }],
    ["edit_file", { path: KEY, old_string: "absent", new_string: "" }],
    ["list_dir", {}],
    ["glob", { pattern: "*" }],
    ["grep", { pattern: "key" }],
    ["terminal", { command: `cat sk-*; echo ${KEY} >&2` }],
  ];
  for (const [name, input] of calls) {
    const { text } = await call(name, input);
    assert.ok(text.includes("[secret]") && !text.includes(KEY), `${name}: ${text}`);
  }
});

test("a cut leaves no part of a key, wherever it falls", async (context) => {
  const { call, write } = openWorkshop(context, { redact });
  const part = KEY.slice(0, 8);
  const end = KEY.slice(-8);
  for (let shift = 0; shift < KEY.length; shift += 3) {
    // Between blanks, in JSON without any, and inside one long word.
    for (const [before, after] of [
      ["", " "],
      ['"', '",'],
      ["-", ""],
    ]) {
      write("a.txt", `${"-".repeat(shift)}${`${before}${KEY}${after}`.repeat(2_000)}`);
      for (const output of [
        await call("read_file", { path: "a.txt" }),
        await call("grep", { pattern: "-|sk" }),
        await call("terminal", { command: "cat a.txt" }),
      ]) {
        assert.ok(!output.text.includes(part) && !output.text.includes(end), output.text);
      }
    }
  }
});
