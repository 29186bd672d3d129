/** Names that a project's config defines before the user trusts it: they never stand for what somebody else means. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { command, play, refusal, routesIn, type Scene } from "../support/whole-stage.ts";

const COSTLY = "beta-9 --provider beta";

function inProject(aliases: Record<string, string>, more: object = {}): Scene {
  return {
    config: { models: { small: "acme-small-1" }, providers: { acme: { models: { "acme-known": {} } } } },
    files: { "work/.deputy/config.yaml": JSON.stringify({ models: aliases, ...more }) },
  };
}

describe("a name on the command line is not what an untrusted project says it is:", () => {
  for (const [what, name] of [
    ["an id that nobody else knows", "m1"],
    ["a known id", "acme-known"],
    ["a known id in another case", "ACME-Known"],
  ] as const)
    test(what, async () => {
      const seen = await command(["run", "--goal", "one", "--model", name], inProject({ [name]: COSTLY }));
      assert.equal(seen.code, 0, seen.stderr);
      assert.deepEqual(
        routesIn(seen).map((route) => route.toLowerCase()),
        [`${name.toLowerCase()} @ acme`],
      );
      assert.match(seen.stdout + seen.stderr, /is also an alias in a project file that is not trusted/);
    });

  test("an alias of the user's", async () => {
    const seen = await command(["run", "--goal", "one", "--model", "small"], inProject({ Small: COSTLY }));
    assert.deepEqual(routesIn(seen), ["acme-small-1 @ acme"]);
    assert.match(seen.stdout + seen.stderr, /cannot redefine your alias Small/);
  });
});

describe("a name in a task is not what an untrusted project says it is:", () => {
  for (const [what, name, route] of [
    ["a known id", "acme-known", "acme-known @ acme"],
    ["a provider", "openai", "openai @ acme"],
    ["an alias of the user's", "SMALL", "acme-small-1 @ acme"],
  ] as const)
    test(what, async () => {
      const seen = await play({ tasks: [{ goal: "one", model: name }] }, inProject({ [name]: COSTLY }));
      assert.deepEqual(routesIn(seen), [route]);
    });
});

test("a family's name that an untrusted project redefines is refused as it would be without it", async () => {
  const { message } = await refusal({ tasks: [{ goal: "one", model: "haiku" }] }, inProject({ haiku: COSTLY }));
  assert.match(message, /Expected a model of the haiku family that a provider with a key is known to serve/);
});

describe("an untrusted project", () => {
  test("may choose among the user's routes by their names, and is told of", async () => {
    const seen = await command(["run", "--goal", "one"], inProject({}, { delegation: { model: "small" } }));
    assert.deepEqual(routesIn(seen), ["acme-small-1 @ acme"]);
    assert.match(
      seen.stdout + seen.stderr,
      /\.deputy\/config\.yaml \(not trusted\) changes delegation\.model from none to small\. `deputy config trust`/,
    );
  });

  test("may have a new name for a route, which its tasks can use", async () => {
    const seen = await play({ tasks: [{ goal: "one", model: "review" }] }, inProject({ review: "small" }));
    assert.deepEqual(routesIn(seen), ["acme-small-1 @ acme"]);
  });
});

test("a trusted project may define any name", async () => {
  const { config = {} } = inProject({});
  const seen = await command(["run", "--goal", "one", "--model", "m1"], {
    config,
    project: { models: { m1: COSTLY } },
  });
  assert.deepEqual(routesIn(seen), ["beta-9 @ beta"]);
  assert.doesNotMatch(seen.stdout + seen.stderr, /not trusted/);
});
