/** Ways to write or reach a private address: all are refused before anything is sent. */
import assert from "node:assert/strict";
import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { test } from "node:test";
import type { Resolve } from "../../../src/tools/web/dialed-address.ts";
import { createAddressGuard } from "../../../src/tools/web/public-address.ts";
import { fetcher, servePages } from "./web-stage.ts";

const REFUSED = /^Refused: expected a public address/;

/** Hosts that a URL can name directly. All of them mean an address that is not public. */
const LITERALS = [
  ...["127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "127.255.255.254", "2130706433", "017700000001", "0x7f000001"],
  ...[
    "0x7f.1",
    "0x7F.0.0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.0x0.0.1",
    "0X7F.0.0.1",
    "00000177.1",
    "0x7f.0x000001",
  ],
  ...["0", "0.0.0.0", "0x0", "00", "0.1", "1", "10.0.0.1", "10.1", "167772161", "0xa000001", "012.0.0.1"],
  ...["172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.1", "3232235521", "0xc0a80001"],
  ...["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518", "168.63.129.16"],
  ...["100.64.0.1", "100.100.100.200", "192.0.0.192", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1"],
  ...["203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "4294967295"],
  ...["１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "127．0．0．1", "%31%32%37.0.0.1", "127%2e0%2e0%2e1", "127.0.0.%31"],
  ...["[::]", "[::1]", "[0:0:0:0:0:0:0:1]", "[0000::0001]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::FFFF:0a00:1]"],
  ...["[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[::10.0.0.1]", "[::ffff:0:127.0.0.1]"],
  ...["[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::1]", "[64:ff9b:1:ffff::a00:1]"],
  ...["[2002:7f00:1::]", "[2002:a00:1::1]", "[2001::1]", "[2001:0:4136:e378:8000:63bf:3fff:fdd2]", "[2001:2::1]"],
  ...["[2001:10::1]", "[2001:20::1]", "[2001:db8::1]", "[3fff::1]", "[fc00::1]", "[fd00:ec2::254]", "[fdff:ffff::1]"],
  ...[
    "[fe80::1]",
    "[febf::1]",
    "[fec0::1]",
    "[feff::1]",
    "[ff02::1]",
    "[ff05::2]",
    "[100::1]",
    "[5f00::1]",
    "[4000::1]",
  ],
];

/** URLs that are no URL of a page at all. */
const MALFORMED = [
  ...["http://[fe80::1%25eth0]/", "http://[::1%lo]/", "http://user@127.0.0.1/", "http://docs.example@127.0.0.1/"],
  ...[
    "http://docs.example:x@127.0.0.1/",
    "http://127.0.0.1 :80/",
    "http://[127.0.0.1]/",
    "http://[::1",
    "http://256.1/",
  ],
  ...["http://127.0.0.1.1.1/", "http://0x100000000/", "file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"],
  ...["data:text/html,x", "javascript:1", "http:///", "//127.0.0.1/"],
];

/** Names of this machine or a private network, wherever they resolve to. */
const NAMES: Record<string, readonly string[]> = {
  localhost: ["127.0.0.1", "::1"],
  "localhost.": ["127.0.0.1"],
  LOCALHOST: ["127.0.0.1"],
  "a.localhost": ["127.0.0.1"],
  "localhost.localdomain": ["127.0.0.1"],
  "ip6-localhost": ["::1"],
  "127.0.0.1.rebind.test": ["127.0.0.1"],
  intranet: ["10.0.0.7"],
  "metadata.google.internal": ["169.254.169.254"],
  "mixed.test": ["93.184.215.14", "10.0.0.1"],
  "mapped.test": ["::ffff:10.0.0.1"],
  "nat64.test": ["64:ff9b::a00:1"],
  "local.test": ["fe80::1%eth0"],
  "zero.test": ["0.0.0.0"],
};

function resolveFrom(names: Record<string, readonly string[]>): Resolve {
  const lower = new Map(Object.entries(names).map(([name, found]) => [name.toLowerCase().replace(/\.$/, ""), found]));
  return async (name) => {
    const found = lower.get(name);
    if (found === undefined) throw Object.assign(new Error("not found"), { code: "ENOTFOUND" });
    return found.map((address): LookupAddress => ({ address, family: isIP(address) || 6 }));
  };
}

test("there are more than sixty ways in the table", () => {
  assert.ok(LITERALS.length + MALFORMED.length + Object.keys(NAMES).length >= 100);
});

test("every way to write a private address is refused, with http and https and any port", async () => {
  const fetch = fetcher({ resolve: resolveFrom({}) });
  for (const host of LITERALS)
    for (const url of [`http://${host}/`, `https://${host}:8443/a`]) {
      const { ok, text } = await fetch(url);
      assert.ok(!ok, url);
      assert.match(text, REFUSED, url);
    }
});

test("a URL that hides its host, or has none, is refused as it is written", async () => {
  const fetch = fetcher({ resolve: resolveFrom({}) });
  for (const url of MALFORMED) await assert.rejects(fetch(url), { name: "ZodError" }, url);
});

test("a name that resolves to a private address is refused, also if another of its addresses is public", async () => {
  const fetch = fetcher({ resolve: resolveFrom(NAMES) });
  for (const name of Object.keys(NAMES)) {
    const { ok, text } = await fetch(`http://${name}/`);
    assert.ok(!ok, name);
    assert.match(text, REFUSED, name);
  }
});

test("a name is resolved once, and what was checked is dialed: a later answer does not count", async (context) => {
  let requests = 0;
  const host = await servePages(context, (_, response) => response.end(`page ${++requests}`));
  const answers = ["127.0.0.1", "93.184.215.14", "93.184.215.14"];
  let asked = 0;
  const resolve: Resolve = async () => [{ address: answers[asked++] ?? "", family: 4 }];
  const port = host.split(":")[1];
  const opened = fetcher({ resolve, privateHosts: ["rebind.test"] });
  assert.match((await opened(`http://rebind.test:${port}/`)).text, /page 1$/);
  assert.equal(asked, 1);
  asked = 0;
  assert.match((await fetcher({ resolve })(`http://rebind.test:${port}/`)).text, REFUSED);
  assert.deepEqual([asked, requests], [1, 1]);
});

test("a redirect is checked like the first URL, wherever it leads", async (context) => {
  let target = "";
  let requests = 0;
  const host = await servePages(context, (_, response) => {
    requests += 1;
    response.writeHead([301, 302, 303, 307, 308][requests % 5] ?? 302, { location: target }).end();
  });
  const fetch = fetcher({ resolve: resolveFrom({ ...NAMES, "open.test": ["127.0.0.1"] }), privateHosts: [host] });
  const ways = [...LITERALS, ...Object.keys(NAMES).filter((name) => name !== "")].map((name) => `http://${name}:1/`);
  for (const way of [...ways, ...MALFORMED.filter((url) => !url.startsWith("//")), `http://127.0.0.1:1/`]) {
    target = way.replace(/[^ -~]/g, encodeURI); // A header is ASCII.
    const before = requests;
    const { ok, text } = await fetch(`http://${host}/start`);
    assert.ok(!ok, way);
    assert.match(text, /^Refused|redirects to what is not fetched/, way);
    assert.equal(requests, before + 1, way);
  }
});

test("a redirect loop and a long chain end with the last URL", async (context) => {
  let requests = 0;
  const host = await servePages(context, ({ url = "" }, response) => {
    requests += 1;
    const next = url === "/loop" ? "/loop" : `/chain/${requests}`;
    if (url === "/five/0") response.end("arrived");
    else
      response.writeHead(302, { location: url.startsWith("/five") ? `/five/${Number(url.at(-1)) - 1}` : next }).end();
  });
  const fetch = fetcher({ privateHosts: [host] });
  assert.match((await fetch(`http://${host}/loop`)).text, /redirects more than 5 times, the last time to .*\/loop/);
  assert.equal(requests, 6);
  assert.match((await fetch(`http://${host}/chain`)).text, /redirects more than 5 times/);
  assert.match((await fetch(`http://${host}/five/5`)).text, /arrived$/);
});

test("web.private_hosts opens the host that it names, and no other", async (context) => {
  const host = await servePages(context, (_, response) => response.end("the page"));
  const port = host.split(":")[1];
  const resolve = resolveFrom({
    localhost: ["127.0.0.1"],
    "wiki.internal": ["127.0.0.1"],
    "xn--wki-rma.test": ["127.0.0.1"],
  });
  const text = async (url: string, ...privateHosts: string[]) => (await fetcher({ resolve, privateHosts })(url)).text;
  for (const [url, opened] of [
    [`http://127.0.0.1:${port}/`, "127.0.0.1"],
    [`http://127.0.0.1:${port}/`, host],
    [`http://2130706433:${port}/`, host],
    [`http://localhost.:${port}/`, "localhost"],
    [`http://WIKI.internal:${port}/`, "wiki.internal"],
    [`http://wíki.test:${port}/`, "xn--wki-rma.test"],
  ] as const)
    assert.match(await text(url, opened), /the page$/, `${url} ${opened}`);
  for (const [url, opened] of [
    [`http://127.0.0.1:${port}/`, "127.0.0.1:1"],
    [`http://127.0.0.1:${port}/`, "localhost"],
    [`http://localhost:${port}/`, "127.0.0.1"],
    [`http://127.0.0.2:${port}/`, "127.0.0.1"],
    [`http://a.localhost:${port}/`, "localhost"],
  ] as const)
    assert.doesNotMatch(await text(url, opened), /the page/, `${url} ${opened}`);
});

test("public addresses are public", () => {
  const isPublic = createAddressGuard();
  for (const address of [
    ...["1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "93.184.215.14", "100.63.255.255", "100.128.0.0"],
    ...["126.255.255.255", "128.0.0.1", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0"],
    ...["192.0.1.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255"],
    ...["2606:4700:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2003::1", "2a00:1450:4001::200e", "3ffe::1"],
  ])
    assert.ok(isPublic(address), address);
  for (const nothing of ["", "localhost", "127.1", "fe80::1%eth0", "2606:4700::1%eth0", "::ffff:8.8.8.8"])
    assert.ok(!isPublic(nothing), nothing);
});

test("through a proxy, private addresses, local names and names that resolve privately are refused too", async (context) => {
  const through: string[] = [];
  const { createServer } = await import("node:http");
  const { listen } = await import("./web-stage.ts");
  const server = createServer((request, response) => {
    through.push(request.url ?? "");
    response.end("through the proxy");
  });
  server.on("connect", (request, socket) => {
    through.push(request.url ?? "");
    socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  });
  const proxy = `http://127.0.0.1:${await listen(context, server)}`;
  const fetch = fetcher({
    resolve: resolveFrom({ ...NAMES, "docs.example": ["93.184.215.14"] }),
    proxyFor: () => proxy,
  });
  for (const host of [...LITERALS, ...Object.keys(NAMES), "unknown.internal", "printer.local", "nas"])
    assert.match((await fetch(`http://${host}/`)).text, REFUSED, host);
  assert.deepEqual(through, []);
  await fetch("http://docs.example/");
  await fetch("http://only-the-proxy-knows.example/");
  assert.equal(through.length, 2);
});
