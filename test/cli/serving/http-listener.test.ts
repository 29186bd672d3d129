/** Authorization of requests to `deputy serve`. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { request as httpRequest } from "node:http";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { promisify } from "node:util";
import { listen } from "../../../src/cli/serving/http-listener.ts";
import { accessToken } from "../../../src/config/access-token.ts";
import { temporaryDirectory } from "../../support/command-line.ts";

async function door(t: TestContext, host = "127.0.0.1") {
  const token = accessToken(temporaryDirectory((cleanUp) => t.after(cleanUp)));
  const listener = await listen({
    host,
    port: 0,
    token,
    onError: (error) => assert.fail(String(error)),
    handlers: { "/mcp": async (_, response) => void response.end("inside") },
  });
  t.after(() => listener.close());
  const bearer = `Bearer ${readFileSync(token.path, "utf8").trim()}`;
  const { port } = new URL(listener.url);
  return (headers: Record<string, string>, path = "/mcp") =>
    ask(Number(port), path, { authorization: bearer, ...headers });
}

/** Uses Node's own client, because it can send any Host. */
function ask(port: number, path: string, headers: Record<string, string>): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: "127.0.0.1", port, path, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part) => (text += part));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.on("error", reject).end();
  });
}

describe("authorization of deputy serve", () => {
  test("accepts only the token", async (t) => {
    const knock = await door(t);
    assert.deepEqual(await knock({}), { status: 200, text: "inside" });
    for (const authorization of ["", "Bearer", "Bearer wrong", "Basic dXNlcjpwYXNz"]) {
      const { status, text } = await knock({ authorization });
      assert.equal(status, 401);
      assert.match(text, /Bearer TOKEN, with the token in /);
    }
  });

  test("rejects foreign names that resolve to this machine, and pages of other origins, with or without the token", async (t) => {
    const knock = await door(t);
    const status = async (headers: Record<string, string>) => (await knock(headers)).status;
    for (const host of [
      "evil.example@localhost",
      "localhost/x",
      "evil.example",
      "127.0.0.1.evil.example",
      "localhost.evil.example:80",
      "192.168.1.5",
      "[::2]",
    ])
      assert.equal(await status({ host }), 403, host);
    for (const host of ["localhost", "localhost:4747", "127.0.0.1:9", "[::1]:4747", "127.8.9.1"])
      assert.equal(await status({ host }), 200, host);
    for (const origin of ["https://evil.example", "http://localhost.evil.example", "null", "file://", "nonsense"])
      assert.equal(await status({ origin }), 403, origin);
    for (const origin of ["http://localhost:3000", "http://127.0.0.1", "http://[::1]:8080"])
      assert.equal(await status({ origin }), 200, origin);
  });

  test("listening on the network, takes addresses, which no name service gives, and no names", async (t) => {
    const knock = await door(t, "0.0.0.0");
    const status = async (host: string) => (await knock({ host })).status;
    assert.deepEqual(
      [await status("192.168.1.5:4747"), await status("[fe80::1]"), await status("evil.example")],
      [200, 200, 403],
    );
    const from = async (origin: string) => (await knock({ host: "192.168.1.5:4747", origin })).status;
    assert.deepEqual(
      [await from("http://192.168.1.5:4747"), await from("http://localhost:3000"), await from("http://6.6.6.6")],
      [200, 200, 403],
    );
  });

  test("lists the available paths for an unknown one", async (t) => {
    const { status, text } = await (await door(t))({}, "/?token=x");
    assert.equal(status, 404);
    assert.match(text, /Available paths: \/mcp/);
  });

  test("names a port that is in use", async (t) => {
    const token = accessToken(temporaryDirectory((cleanUp) => t.after(cleanUp)));
    const options = { host: "127.0.0.1", token, handlers: {}, onError: () => {} };
    const first = await listen({ ...options, port: 0 });
    t.after(() => first.close());
    const port = Number(new URL(first.url).port);
    await assert.rejects(listen({ ...options, port }), {
      code: "usage",
      message: /Cannot listen on 127.0.0.1:.*--port/,
    });
  });
});

describe("the token", () => {
  test("is made once, for its owner's eyes, and is not shown whole", (t) => {
    const state = join(
      temporaryDirectory((cleanUp) => t.after(cleanUp)),
      "state",
    );
    const { path, masked } = accessToken(state);
    const token = readFileSync(path, "utf8").trim();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.ok(token.length >= 40 && !masked.includes(token) && masked.length < 10);
    chmodSync(path, 0o644);
    assert.ok(accessToken(state).matches(token));
    assert.equal(statSync(path).mode & 0o777, 0o600);
  });

  test("that is unreadable is an error that explains what to do", (t) => {
    const state = temporaryDirectory((cleanUp) => t.after(cleanUp));
    mkdirSync(join(state, "token"), { recursive: true });
    assert.throws(() => accessToken(state), {
      code: "input-unreadable",
      message: /token; it cannot be read: .*Move it aside/,
    });
  });

  test("is the same for all servers that start at once, and is never replaced", async (t) => {
    const state = temporaryDirectory((cleanUp) => t.after(cleanUp));
    mkdirSync(state, { recursive: true });
    const module = new URL("../../../src/config/access-token.ts", import.meta.url);
    const program = `
      const { accessToken } = await import(${JSON.stringify(module.href)});
      const start = Number(process.argv[1]);
      while (Date.now() < start);
      const token = accessToken(${JSON.stringify(state)});
      const { readFileSync } = await import("node:fs");
      console.log(token.matches(readFileSync(token.path, "utf8").trim()), token.masked);`;
    for (let round = 0; round < 2; round++) {
      rmSync(join(state, "token"), { force: true });
      const argv = ["--input-type=module", "-e", program, String(Date.now() + 1_000)];
      const said = await Promise.all(Array.from({ length: 6 }, () => promisify(execFile)(process.execPath, argv)));
      assert.equal(new Set(said.map(({ stdout }) => stdout)).size, 1, said.map(({ stdout }) => stdout).join(""));
      assert.match(said[0]?.stdout ?? "", /^true /);
      assert.deepEqual(readdirSync(state), ["token"]);
    }
  });

  test("that is too short, such as an empty file, is an error and stays", (t) => {
    const state = temporaryDirectory((cleanUp) => t.after(cleanUp));
    mkdirSync(state, { recursive: true });
    for (const text of ["", "\n", "short"]) {
      writeFileSync(join(state, "token"), text);
      assert.throws(() => accessToken(state), { code: "input-unreadable", message: /too short.*Move it aside/ });
      assert.equal(readFileSync(join(state, "token"), "utf8"), text);
    }
  });

  test("is not behind a link, whose target stays as it is", (t) => {
    const state = temporaryDirectory((cleanUp) => t.after(cleanUp));
    mkdirSync(state, { recursive: true });
    const [target, path] = [join(state, "target"), join(state, "token")];
    writeFileSync(target, "x".repeat(64), { mode: 0o644 });
    chmodSync(target, 0o644);
    for (const link of [symlinkSync, linkSync]) {
      link(target, path);
      assert.throws(() => accessToken(state), { code: "input-unreadable", message: /Move it aside/ });
      assert.equal(statSync(target).mode & 0o777, 0o644);
      rmSync(path);
    }
  });
});
