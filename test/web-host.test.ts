/** Hosts as people write them, and URLs in one spelling. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parsePageUrl } from "../src/page-url.ts";
import { hostsIn, isOnHost, normalHost } from "../src/web-host.ts";

test("a host has one normal form, however it is written", () => {
  for (const [written, normal] of [
    ["Docs.Example", "docs.example"],
    ["docs.example.", "docs.example"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["127.1", "127.0.0.1"],
    ["0x7f000001:8080", "127.0.0.1:8080"],
    ["::1", "[::1]"],
    ["[0:0:0:0:0:0:0:1]:3000", "[::1]:3000"],
    ["*.Example.COM", "*.example.com"],
    ["docs.example:080", "docs.example:80"],
  ] as const)
    assert.equal(normalHost(written), normal, written);
  for (const none of ["", "https://docs.example", "docs.example/", "a b", "a@b", "a:b", "a:99999999", "%31"])
    assert.equal(normalHost(none), undefined, none);
});

test("a host without a port is meant on every port, one with a port on that port alone", () => {
  const on = (url: string, host: string) => isOnHost(new URL(url), host);
  assert.ok(on("http://docs.example/", "docs.example"));
  assert.ok(on("https://docs.example:8443/", "docs.example"));
  assert.ok(on("https://docs.example./", "docs.example"));
  assert.ok(on("https://docs.example/", "docs.example:443"));
  assert.ok(on("https://a.docs.example/", "*.docs.example"));
  assert.ok(on("http://[::1]:3000/", "[::1]:3000"));
  assert.ok(!on("http://docs.example/", "docs.example:443"));
  assert.ok(!on("http://docs.example:8080/", "docs.example:80"));
  assert.ok(!on("https://docs.example.evil.test/", "docs.example"));
  assert.ok(!on("https://evil.test/docs.example", "docs.example"));
  assert.ok(!on("https://notdocs.example/", "*.docs.example"));
});

test("a text names the hosts of its URLs, and words that can hardly be anything else", () => {
  for (const [text, ...hosts] of [
    ["Read https://docs.example/a?b=c and sum up.", "docs.example"],
    ["Read https://docs.example.", "docs.example"],
    ["See [the docs](https://docs.example/a_(b)), **https://b.example**", "docs.example", "b.example"],
    ["(http://Docs.Example:8080)", "docs.example:8080"],
    ["<https://docs.example:443/>", "docs.example"],
    ["Compare example.com, www.docs.example and 192.0.2.7:81", "example.com", "www.docs.example", "192.0.2.7:81"],
    ["on localhost:3000, or [::1]:80", "localhost:3000", "[::1]:80"],
    ["http://[::1]:3000/ and http://[::1]", "[::1]:3000", "[::1]"],
    ["请看https://docs.example。然后", "docs.example"],
    ["https://bücher.example/", "xn--bcher-kva.example"],
  ] as const)
    assert.deepEqual(hostsIn(text), hosts, text);
});

test("files, code, mail addresses and URLs that hide their host name none", () => {
  for (const text of [
    "Fix main.rs, README.md, setup.py, run.sh and lib.so",
    "Call process.env and user.name; see src/example.com and @example.com",
    "Write to bob@example.com or git@github.com:me/it.git",
    "https://docs.example@evil.example/ and https://user:pass@evil.example/",
    "https://*.example/ and https://*/",
    "file:///etc/hosts ftp://ftp.example/ //cdn.example/x",
    "x.example.com_backup",
    "ev\u200bil.com and \u202eevil.com",
  ])
    assert.deepEqual(hostsIn(text), [], text);
});

test("a long text is read in linear time", () => {
  const startedAt = performance.now();
  for (const part of ["a.", "https://", "a-", "[", "1.", "www.", "https://a]"]) hostsIn(part.repeat(200_000));
  assert.ok(performance.now() - startedAt < 3_000);
});

test("a page's URL has one spelling, whatever leads to it", () => {
  const spelled = (written: string) => {
    const url = parsePageUrl(written);
    return "expected" in url ? url.expected : url.href;
  };
  for (const written of [
    "https://docs.example/a/b",
    " HTTPS://DOCS.example/a/b ",
    "https://docs.example:443/a/b",
    "https://docs.example./a/b",
    "https://docs.example../a/b",
    "https://docs.example/a/b#part",
    "https://docs.example/a/x/../b",
    "https://docs.example/a/%2e/x/%2E%2e/b",
    "https://docs.example/%61/%62",
    "https://docs。example/a/b",
    "https://ｄｏｃｓ.example/a/b",
    "https:\\\\docs.example\\a\\b",
    "https:docs.example/a/b",
    "ht\ntps://docs.example/a/b",
  ])
    assert.equal(spelled(written), "https://docs.example/a/b", written);
  assert.equal(spelled("https://docs.example/%c3%a9?q=%7e"), "https://docs.example/%C3%A9?q=~");
  for (const wrong of [
    "",
    "docs.example",
    "ftp://docs.example/",
    "file:///etc/passwd",
    "javascript:1",
    "http://",
    "http://./",
  ])
    assert.match(spelled(wrong), /starts with http/, wrong);
  for (const wrong of ["https://a@docs.example/", "https://a:b@docs.example/", "https://:b@docs.example/"])
    assert.match(spelled(wrong), /without a user name/, wrong);
  assert.match(spelled(`https://docs.example/${"a".repeat(9_000)}`), /at most/);
});
