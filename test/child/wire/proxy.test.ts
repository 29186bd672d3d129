/** Which requests take the proxy that the environment names, and that no key passes it in the clear. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer } from "node:net";
import { describe, test } from "node:test";
import { proxyFor } from "../../../src/child/wire/proxy.ts";
import { createTransport } from "../../../src/child/wire/transport.ts";
import { Secret } from "../../../src/secret.ts";

const PROXY = "http://proxy.corp:3128";
const BOTH = { HTTP_PROXY: PROXY, HTTPS_PROXY: PROXY };
const proxied = (url: string, environment: Record<string, string> = BOTH) =>
  proxyFor(new URL(url), environment) !== undefined;

describe("this machine and the local network", () => {
  const LOOPBACK = [
    "127.0.0.1",
    "127.1.2.3",
    "localhost",
    "localhost.",
    "lab.localhost",
    "[::1]",
    "0.0.0.0",
    "2130706433",
  ];
  for (const host of [...LOOPBACK, "[::ffff:127.0.0.1]", "[::ffff:7f12:1]"])
    test(`${host} is reached directly, encrypted or not`, () => {
      assert.deepEqual([proxied(`http://${host}:8000/v1`), proxied(`https://${host}/v1`)], [false, false]);
    });

  for (const host of ["10.1.2.3", "192.168.0.9", "172.20.0.1", "gpu-box", "lab.internal", "[fd00::1]", "[fe80::1]"])
    test(`${host} takes the proxy only with encryption, which the proxy cannot read`, () => {
      assert.deepEqual([proxied(`http://${host}:8000/v1`), proxied(`https://${host}/v1`)], [false, true]);
    });

  for (const host of ["api.example.com", "8.8.8.8", "127.0.0.1.example.com", "localhost.example.com", "[2001:db8::1]"])
    test(`${host} takes the proxy`, () => {
      assert.deepEqual([proxied(`http://${host}/v1`), proxied(`https://${host}/v1`)], [true, true]);
    });
});

describe("NO_PROXY", () => {
  const cases: [exceptions: string, direct: string[], proxied: string[]][] = [
    ["*", ["https://a.test"], []],
    ["a.test", ["https://a.test", "https://x.a.test", "https://A.TEST"], ["https://ba.test", "https://a.test.b"]],
    [".a.test", ["https://x.a.test", "https://a.test"], ["https://xa.test"]],
    ["*.a.test,b.test", ["https://x.a.test", "https://b.test"], ["https://c.test"]],
    ["a.test:8443 b.test:443", ["https://a.test:8443", "https://b.test"], ["https://a.test", "https://b.test:1"]],
    ["8.8.0.0/16; 9.9.9.9", ["https://8.8.4.4", "https://9.9.9.9"], ["https://8.9.4.4", "https://19.9.9.9"]],
    ["8.8.*", ["https://8.8.4.4"], ["https://88.8.4.4"]],
    ["2001:db8::/32", ["https://[2001:db8::5]"], ["https://[2001:db9::5]"]],
    ["[2001:db8::5]:443,2001:db8::6", ["https://[2001:db8::5]", "https://[2001:db8::6]"], ["https://[2001:db8::5]:1"]],
    ["8.8.8.8/99,a/b,/8,:", [], ["https://8.8.8.8"]],
  ];
  for (const [exceptions, direct, others] of cases)
    test(`${exceptions} excepts what it names`, () => {
      const environment = { ...BOTH, NO_PROXY: exceptions };
      assert.deepEqual(
        direct.filter((url) => proxied(url, environment)),
        [],
      );
      assert.deepEqual(
        others.filter((url) => !proxied(url, environment)),
        [],
      );
    });
});

test("variables in lower case come first, and a proxy may be written without its scheme", () => {
  const url = new URL("https://a.test");
  assert.equal(proxyFor(url, { https_proxy: "one:1", HTTPS_PROXY: "http://two:2" }), "http://one:1");
  assert.equal(proxyFor(url, { HTTP_PROXY: "http://two:2" }), "http://two:2");
  assert.equal(proxyFor(url, {}), undefined);
});

test("a key for another loopback address than 127.0.0.1 does not pass the proxy", async () => {
  const heard: string[] = [];
  const proxy = createServer((socket) => socket.once("data", (bytes) => socket.end(void heard.push(String(bytes)))));
  await new Promise<void>((resolve) => void proxy.listen(0, "127.0.0.1", resolve));
  const environment = { HTTP_PROXY: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}` };
  const transport = createTransport({ connectionsPerOrigin: 1, environment, userAgent: "test" });
  for (const origin of ["http://127.0.0.9:9", "http://[::1]:9", "http://[::ffff:127.0.0.1]:9"]) {
    const { origin: real } = new URL(origin);
    const secret = new Secret("sk-very-secret", "KEY", real);
    const access = { key: { secret, header: "authorization" }, headers: {}, redact: (text: string) => text } as const;
    await assert.rejects(transport.fetchFor(real, access)(`${real}/v1`));
  }
  assert.deepEqual(heard, []);
  await transport.close();
  proxy.close();
});
