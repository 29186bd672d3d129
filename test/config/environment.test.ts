/** Keys leave the process's environment: seen from real child processes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { looksLikeKey } from "../../src/config/environment.ts";
import { PROVIDER_TABLE } from "../../src/routing/provider-table.ts";

const module = join(import.meta.dirname, "..", "..", "src", "config", "environment.ts");

/** What a program that has taken its environment sees, and what a child of it sees of both. */
function look(env: Record<string, string>) {
  const program = `
    import { execFileSync } from "node:child_process";
    import { takeEnvironment } from ${JSON.stringify(module)};
    const sh = (script) => execFileSync("sh", ["-c", script], { encoding: "utf8" });
    const { env, stillVisible } = takeEnvironment();
    console.log(JSON.stringify({
      taken: env, stillVisible,
      inherited: sh("env"),
      ofParent: process.platform === "linux" ? sh("tr '\\\\0' '\\\\n' < /proc/$PPID/environ") : "",
    }));`;
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], { env, encoding: "utf8" });
  return JSON.parse(output) as {
    taken: Record<string, string>;
    stillVisible?: string;
    inherited: string;
    ofParent: string;
  };
}

describe("the environment, once taken", () => {
  const keys = { GLM_API_KEY: "secret-one", HF_TOKEN: "secret-two=with=signs", DB_PASSWORD: "secret-é", EMPTY_KEY: "" };
  const plain = {
    PATH: process.env.PATH ?? "",
    HOME: "/home/x",
    HTTPS_PROXY: "http://proxy:1",
    NODE_EXTRA_CA_CERTS: "",
  };
  const seen = look({ ...plain, ...keys, LAST: "last" });

  test("is whole for the program itself", () => {
    assert.deepEqual({ ...seen.taken }, { ...seen.taken, ...keys, ...plain, LAST: "last" });
    assert.equal(seen.stillVisible, undefined);
  });

  test("holds no key for a child that inherits it", () => {
    assert.doesNotMatch(seen.inherited, /secret|GLM_API_KEY|HF_TOKEN/);
  });

  test("holds no key for a child that reads its parent's block", { skip: process.platform !== "linux" }, () => {
    assert.doesNotMatch(seen.ofParent, /secret/);
    assert.match(seen.ofParent, /^HF_TOKEN=x+$/m);
  });

  test("keeps what the runtime needs", () => {
    for (const line of ["HOME=/home/x", "HTTPS_PROXY=http://proxy:1", "LAST=last"]) {
      assert.ok(seen.inherited.includes(`${line}\n`), line);
      if (process.platform === "linux") assert.ok(seen.ofParent.includes(`${line}\n`), line);
    }
  });
});

test("every key variable of the provider table looks like a key", () => {
  const names = PROVIDER_TABLE.flatMap(({ keys }) => keys.map(({ name }) => name));
  assert.deepEqual(
    names.filter((name) => !looksLikeKey(name)),
    [],
  );
});

test("variables that only sound like keys stay", () => {
  for (const name of ["PATH", "KEYBOARD", "SSH_AUTH_SOCK", "TOKENIZERS_PARALLELISM", "NODE_EXTRA_CA_CERTS", "MONKEY"])
    assert.equal(looksLikeKey(name), false, name);
});
