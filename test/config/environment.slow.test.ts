/** Keys are removed from the process's environment, as seen by real child processes. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { describe, test } from "node:test";
import { commandEnvironment, divideEnvironment, handOver } from "../../src/config/environment.ts";

const module = join(import.meta.dirname, "..", "..", "src", "config", "environment.ts");

/** The environments seen by a program that has taken its environment, and by its child. */
function look(env: Record<string, string>, input = "") {
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
  const output = execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    env,
    input,
    encoding: "utf8",
  });
  return JSON.parse(output) as {
    taken: Record<string, string>;
    stillVisible?: string;
    inherited: string;
    ofParent: string;
  };
}

describe("the environment, once taken", () => {
  const keys = {
    GLM_API_KEY: "secret-one",
    HF_TOKEN: "secret-two=with=signs",
    DB_PASSWORD: "secret-é",
    AWS_ACCESS_KEY_ID: "secret-id",
    HTTPS_PROXY: "http://me:secret@proxy:1",
    EMPTY_KEY: "",
  };
  const plain = {
    PATH: process.env.PATH ?? "",
    HOME: "/home/x",
    HTTP_PROXY: "http://proxy:1",
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
    for (const line of ["HOME=/home/x", "HTTP_PROXY=http://proxy:1", "LAST=last"]) {
      assert.ok(seen.inherited.includes(`${line}\n`), line);
      if (process.platform === "linux") assert.ok(seen.ofParent.includes(`${line}\n`), line);
    }
  });
});

test("an environment is divided into two halves without loss", () => {
  const env = { PATH: "/bin", MY_TOKEN: "t", DB: "postgres://u:p@h/db", LAB: "key of a provider", unset: undefined };
  assert.deepEqual(
    divideEnvironment(env, (name) => name === "LAB"),
    {
      plain: { PATH: "/bin" },
      secrets: { MY_TOKEN: "t", DB: "postgres://u:p@h/db", LAB: "key of a provider" },
    },
  );
});

test("an environment is handed over to another process in two halves, of which the visible one holds no secret", () => {
  const env = {
    PATH: process.env.PATH ?? "",
    MY_TOKEN: "tökén\n=x",
    LAB: "key of a provider",
    COPY: "a key of a provider",
  };
  const { plain, secrets } = handOver(env, (_, value) => value.includes("key of a provider"));
  assert.deepEqual(Object.keys(plain).sort(), ["PATH", "_DEPUTY_SECRETS_FROM"]);
  const { taken, inherited } = look(plain, secrets);
  assert.deepEqual(taken, env);
  assert.doesNotMatch(inherited, /TOKEN|LAB|COPY|_DEPUTY_SECRETS_FROM/);
});

test("an incomplete half is an error that does not quote it", () => {
  const { plain, secrets } = handOver({ PATH: process.env.PATH ?? "", MY_TOKEN: "t0psecret" }, () => false);
  const part = secrets.slice(0, -2);
  assert.throws(
    () => look(plain, part),
    ({ message }: Error) =>
      /expected variables as JSON on standard input; found \d+ characters that are not/.test(message) &&
      !message.includes("t0psecret"),
  );
});

test("an empty half is an error that says so", () => {
  const { plain } = handOver({ PATH: process.env.PATH ?? "" }, () => false);
  assert.throws(() => look(plain, ""), /expected variables as JSON on standard input; found nothing\. Unset it\./);
});

test("standard input is not read if nothing is handed over", () => {
  assert.equal(look({ PATH: process.env.PATH ?? "" }, '{"MY_TOKEN": "x"}').taken.MY_TOKEN, undefined);
});

test("commands get the plain half and what the operator lists, but no provider's key", () => {
  const env = {
    PATH: "/bin",
    NPM_TOKEN: "a",
    OTHER_TOKEN: "b",
    HTTP_PROXY: "http://u:p@proxy",
    GLM_API_KEY: "c",
    LAB: "d",
  };
  const holdsKey = (name: string) => ["GLM_API_KEY", "LAB"].includes(name);
  const listed = ["NPM_TOKEN", "HTTP_PROXY", "GLM_API_KEY", "LAB", "ABSENT"];
  assert.deepEqual(commandEnvironment(divideEnvironment(env, holdsKey), holdsKey, listed), {
    PATH: "/bin",
    NPM_TOKEN: "a",
    HTTP_PROXY: "http://u:p@proxy",
  });
});
