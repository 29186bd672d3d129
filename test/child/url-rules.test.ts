/** Permission rules for pages. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decidePermission } from "../../src/child/permissions.ts";
import { createPageJudge, createRedirectJudge } from "../../src/child/url-rules.ts";
import { parsePageUrl } from "../../src/page-url.ts";
import type { PermissionRule, ToolSubject } from "../../src/tool.ts";

function page(written: string, otherwise: ToolSubject["otherwise"] = "ask"): ToolSubject {
  const url = parsePageUrl(written);
  if ("expected" in url) throw new Error(url.expected);
  return { target: url.href, otherwise, isPage: true };
}

function decide(then: PermissionRule["then"], match: string, written: string): PermissionRule["then"] {
  const otherwise = then === "ask" ? "deny" : "ask";
  return decidePermission([{ tool: "web_fetch", match, then }], otherwise, "web_fetch", page(written)).decision;
}

test("a rule that allows covers the pages of its host and path", () => {
  for (const [match, ...covered] of [
    ["https://docs.example/*", "https://docs.example/", "https://docs.example/a/b?c=d"],
    ["https://Docs.Example./*", "https://DOCS.example:443/a"],
    ["https://docs.example:443/*", "https://docs.example/a"],
    ["http://docs.example:8080/*", "http://docs.example:8080/a"],
    ["https://docs.example", "https://docs.example/"],
    ["https://docs.example*", "https://docs.example/a"],
    ["*://docs.example/*", "https://docs.example/a", "http://docs.example/a"],
    ["https://*.docs.example/*", "https://a.b.docs.example/c"],
    ["https://docs.example/%7Eme/*", "https://docs.example/~me/a"],
    ["https://docs.example/a", "https://docs.example/x/../a"],
    ["https://bücher.example/*", "https://xn--bcher-kva.example/a"],
    ["https://*", "https://docs.example/a", "https://docs.example:8443/"],
    ["*", "http://docs.example/a"],
  ] as const)
    for (const url of covered) assert.equal(decide("allow", match, url), "allow", `${match} ${url}`);
});

test("a rule that allows covers no other host, and no path that climbs out of its own", () => {
  for (const [match, ...others] of [
    [
      "https://docs.example/*",
      "http://docs.example/",
      "https://docs.example.evil.test/",
      "https://evil.test/https://docs.example/",
      "https://evil.test/?https://docs.example/",
      "https://docs.example:8443/",
    ],
    ["https://docs.example*", "https://docs.example.evil.test/", "https://docs.example-evil.test/"],
    ["https://*.docs.example/*", "https://evil.test/.docs.example/", "https://evil.test/?a.docs.example/x"],
    ["*docs.example/*", "https://evil.test/docs.example/a", "https://docs.example/a"],
    ["docs.example/*", "https://docs.example/a"],
    [
      "https://docs.example/public/*",
      "https://docs.example/public/../private",
      "https://docs.example/public/%2e%2e/private",
      "https://docs.example/public/..%2fprivate",
      "https://docs.example/public/%2e%2e%2fprivate",
      "https://docs.example/public/..%5cprivate",
      "https://docs.example/public/%252e%252e%252fprivate",
      "https://docs.example/public/..;/private",
      "https://docs.example/Public/a",
    ],
  ] as const)
    for (const url of others) assert.equal(decide("allow", match, url), "ask", `${match} ${url}`);
});

test("a rule that denies or asks covers every spelling of the page", () => {
  for (const then of ["deny", "ask"] as const)
    for (const url of [
      "https://docs.example/admin",
      "https://docs.example/admin/users",
      "https://docs.example/admin?x",
      "https://DOCS.example./Admin",
      "http://docs.example/admin",
      "https://docs.example:443/%61dmin",
      "https://docs.example//admin",
      "https://docs.example/x/../admin",
      "https://docs.example/x/..%2fadmin",
      "https://docs.example/%2561dmin",
    ])
      assert.equal(decide(then, "https://docs.example/admin", url), then, url);
  assert.equal(decide("deny", "https://evil.test", "https://evil.test/any/page"), "deny");
  assert.equal(decide("deny", "*.evil.test/*", "https://a.evil.test/"), "deny");
  // An honest page beside it.
  assert.equal(decide("deny", "https://docs.example/admin", "https://docs.example/administration"), "ask");
  assert.equal(decide("deny", "https://docs.example/admin", "https://other.example/admin"), "ask");
});

test("without a rule, a listed or named host is allowed and any other asks", () => {
  const decision = (subject: ToolSubject, named: string[], rules: PermissionRule[] = []) =>
    decidePermission(rules, "deny", "web_fetch", subject, named);
  assert.equal(decision(page("https://docs.example/", "allow"), []).decision, "allow");
  assert.equal(decision(page("https://docs.example/a"), ["docs.example"]).decision, "allow");
  assert.match(decision(page("https://docs.example/a"), ["docs.example"]).because, /the user named/);
  assert.equal(decision(page("https://docs.example:8080/a"), ["docs.example:9090"]).decision, "deny");
  assert.equal(decision(page("https://a.docs.example/"), ["docs.example"]).decision, "deny");
  assert.match(decision(page("https://evil.test/?q=1"), ["docs.example"]).because, /https:\/\/evil\.test\/\?q=1/);
  const denied: PermissionRule[] = [{ tool: "web_*", then: "deny" }];
  assert.equal(decision(page("https://docs.example/", "allow"), ["docs.example"], denied).decision, "deny");
});

test("what a call was approved for covers a redirect on its own host, and no other", () => {
  const redirect = (rules: PermissionRule[], from: string, to: string, named: string[] = []) => {
    const judge = createPageJudge({ rules, otherwise: "ask" }, "web_fetch", named);
    return createRedirectJudge(judge, page(from))(page(to)).decision;
  };
  assert.equal(redirect([], "http://a.example/", "https://a.example/b"), "allow");
  assert.equal(redirect([], "http://a.example/", "https://b.example/"), "ask");
  assert.equal(redirect([], "http://a.example/", "https://b.example/", ["b.example"]), "allow");
  const only: PermissionRule[] = [{ tool: "web_fetch", match: "https://a.example/public/*", then: "allow" }];
  assert.equal(redirect(only, "https://a.example/public/x", "https://a.example/public/y"), "allow");
  assert.equal(redirect(only, "https://a.example/public/x", "https://a.example/private"), "ask");
  const not: PermissionRule[] = [{ tool: "web_fetch", match: "https://a.example/private", then: "deny" }];
  assert.equal(redirect(not, "https://a.example/public", "https://a.example/private"), "deny");
});
