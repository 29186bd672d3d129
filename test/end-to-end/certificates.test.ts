/** A provider with a certificate of a private authority: the real program, over real TLS on loopback. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { createServer, type Server } from "node:tls";
import { createModelServer, type ModelServer } from "../../src/testing/index.ts";
import { temporaryDirectory } from "../support/command-line.ts";
import { launch } from "../support/end-to-end.ts";

/** Made for these tests and useless elsewhere: valid for loopback, until 2126; the authority's own key was deleted. */
const CERTIFICATES = join(import.meta.dirname, "../support/loopback-tls");
const KEY = "sk-behind-tls-4f1b";

describe("an endpoint with a certificate of an authority of one's own", { timeout: 110_000 }, () => {
  const home = temporaryDirectory(after);
  const sockets = new Set<Socket>();
  let provider: ModelServer;
  let front: Server;
  let port: number;

  before(async () => {
    provider = await createModelServer({ script: () => ({ text: "Heard." }), keys: { ZAI: KEY } });
    const read = (name: string) => readFileSync(join(CERTIFICATES, name));
    front = createServer({ cert: read("server.pem"), key: read("server-key.pem") }, (socket) => {
      const onward = connect(Number(new URL(provider.url).port), "127.0.0.1");
      for (const each of [socket, onward]) {
        sockets.add(each);
        each.on("error", () => {});
        each.on("close", () => [socket, onward].map((one) => one.destroy()));
      }
      socket.pipe(onward).pipe(socket);
    });
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    ({ port } = front.address() as AddressInfo);
  });

  after(async () => {
    for (const socket of sockets) socket.destroy();
    front.close();
    await provider.close();
  });

  async function run(host: string, certificates: Record<string, string>) {
    const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), GLM_API_KEY: KEY, ...certificates };
    const argv = ["run", "--goal", "Speak", "--provider", "zai", "--json"];
    const ended = await launch(argv, { cwd: home, env: { ...env, GLM_BASE_URL: `https://${host}:${port}/v1` } }).ended;
    return { ...ended, result: JSON.parse(ended.stdout).results[0] };
  }

  const trusting = { NODE_EXTRA_CA_CERTS: join(CERTIFICATES, "ca.pem") };

  for (const host of ["localhost", "127.0.0.1"])
    test(`answers as ${host} where NODE_EXTRA_CA_CERTS names the authority`, async () => {
      const before = provider.count;
      const { code, stderr, result } = await run(host, trusting);
      assert.equal(code, 0, stderr);
      assert.deepEqual(
        [result.status, result.summary, result.route.endpoint],
        ["completed", "Heard.", `${host}:${port}`],
      );
      assert.equal(provider.count, before + 1);
    });

  test("gets no request without it; the failure gives the reason and the remedy at once", async () => {
    const before = provider.count;
    const { code, result } = await run("localhost", {});
    assert.equal(code, 1);
    assert.equal(result.error.kind, "network");
    assert.match(result.error.message, /certificate that is not accepted \(UNABLE_TO_\w+.*NODE_EXTRA_CA_CERTS/);
    assert.equal(result.api_calls, 1);
    assert.equal(provider.count, before);
  });
});
