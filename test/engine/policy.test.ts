/**
 * The choices of a delegating model, observed at the providers: untrusted files, declared fallbacks, typos in patterns.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { command, endings, play, refusal, routesIn, type Scene } from "../support/whole-stage.ts";

const asModel = { askedBy: "model" } as const;
const models = { small: "acme-small-1", tiny: "acme-tiny-1", nested: "tiny" };

/** A user who lets models choose some aliases, and a project with an untrusted file. */
function withProject(project: object, allow: string[], deny: string[] = []): Scene {
  const config = { models, delegation: { allow, deny } };
  return { config, options: asModel, files: { "work/.deputy/config.yaml": JSON.stringify(project) } };
}

describe("an alias that a model may choose", () => {
  test("is the user's own", async () => {
    const seen = await play({ goal: "one", model: "small" }, withProject({}, ["alias:small"]));
    assert.deepEqual(routesIn(seen), ["acme-small-1 @ acme"]);
  });

  const redefined: [how: string, model: string, aliases: Record<string, string>, means: string][] = [
    ["itself", "small", { small: "beta-2 --provider beta" }, "acme-small-1"],
    ["in another case", "small", { SMALL: "beta-2 --provider beta" }, "acme-small-1"],
    ["through a name it leads to", "nested", { tiny: "beta-2 --provider beta" }, "acme-tiny-1"],
  ];
  for (const [how, model, aliases, means] of redefined)
    test(`keeps its meaning where a project file that is not trusted redefines it: ${how}`, async () => {
      const seen = await play({ goal: "one", model }, withProject({ models: aliases }, ["alias:*"]));
      assert.deepEqual(routesIn(seen), [`${means} @ acme`]);
    });

  test("permits nothing as a new name in a project file that is not trusted, though a pattern covers it", async () => {
    const project = { models: { fresh: "beta-2 --provider beta" } };
    const { message } = await refusal({ goal: "one", model: "fresh" }, withProject(project, ["alias:*"]));
    assert.match(message, /Expected a route that the user lets a model choose; found beta\/beta-2/);
  });

  test("may be a new name there for what a pattern over models allows", async () => {
    const project = { models: { fresh: "beta-2 --provider beta" } };
    const seen = await play({ goal: "one", model: "fresh" }, withProject(project, ["beta/*"]));
    assert.deepEqual(routesIn(seen), ["beta-2 @ beta"]);
  });

  test("stays denied, whoever defines it", async () => {
    const project = { models: { small: "beta-2 --provider beta" } };
    await refusal({ goal: "one", model: "small" }, withProject(project, ["*"], ["alias:small"]));
  });
});

describe("a denied alias", () => {
  const large = { models: { large: "acme-1", other: "acme-1", elsewhere: "acme-1 --provider beta" } };
  const denied = {
    config: { ...large, delegation: { deny: ["alias:large"], model: "acme-small-1" } },
    options: asModel,
  };

  for (const model of ["large", "acme-1", "ACME-1", "other", "acme-1 --provider acme"])
    test(`denies the model it leads to, asked for as ${model}`, async () => {
      const { message } = await refusal({ goal: "one", model }, denied);
      assert.match(message, /acme\/acme-1, which delegation.deny refuses \(alias:large\)/);
    });

  test("denies no other model, and no other provider where the alias names one", async () => {
    const seen = await play({ goal: "one", model: "acme-tiny-1" }, denied);
    assert.deepEqual(routesIn(seen), ["acme-tiny-1 @ acme"]);
    const deny = { ...large, delegation: { deny: ["alias:elsewhere"], model: "acme-small-1" } };
    const here = await play({ goal: "one", model: "acme-1" }, { config: deny, options: asModel });
    assert.deepEqual(routesIn(here), ["acme-1 @ acme"]);
  });

  test("can still be used by the operator", async () => {
    const seen = await play({ goal: "one", model: "acme-1" }, { config: denied.config });
    assert.deepEqual(routesIn(seen), ["acme-1 @ acme"]);
  });
});

test("a fallback that the operator declares may be taken whatever a model may choose: the model did not ask for it", async () => {
  const script: Scene["script"] = ({ model }) =>
    model === "acme-1" ? { fault: { kind: "refused" } } : { text: "done" };
  const delegation = { allow: ["acme/*"], deny: ["beta/*"], fallbacks: ["beta-2 --provider beta"] };
  const seen = await play({ goal: "one", model: "acme-1" }, { config: { delegation }, options: asModel, script });
  assert.deepEqual([routesIn(seen), endings(seen)], [["acme-1 @ acme", "beta-2 @ beta"], ["completed"]]);
  assert.equal(seen.results[0]?.route?.chosen_by.provider, "fallback");
  await refusal({ goal: "one", model: "beta-2 --provider beta" }, { config: { delegation }, options: asModel });
});

test("a pattern that can match nothing causes a warning with a suggestion", async () => {
  const delegation = { allow: ["acme/*", "alias:smal"], deny: ["antropic/*", "*/x"] };
  const { result } = await play({ goal: "one" }, { config: { models, delegation }, options: asModel });
  const told = [
    "delegation.allow: alias:smal matches nothing: there is no alias smal. Did you mean small?",
    "delegation.deny: antropic/* matches nothing: there is no provider antropic. Did you mean anthropic?",
  ];
  assert.deepEqual(
    result.warnings.map(({ message }) => message),
    told,
  );
  const { stdout } = await command(["doctor"], { config: { models, delegation } });
  for (const line of told) assert.ok(stdout.includes(line), stdout);
});
