import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { deputy } from "../../support/command-line.ts";

async function schemaOf(...argv: string[]) {
  const { code, stdout } = await deputy(["schema", ...argv]);
  assert.equal(code, 0);
  return new Ajv2020({ strict: false }).compile(JSON.parse(stdout));
}

test("deputy schema accepts each form of a task file and every example, and rejects what the parser rejects", async () => {
  const accepts = await schemaOf();
  const forms = [{ goal: "a" }, ["a", { goal: "b" }], { context: "c", tasks: ["a", { goal: "b", tags: ["x"] }] }];
  for (const form of forms) assert.equal(accepts(form), true, JSON.stringify(form));
  for (const wrong of [
    {},
    [],
    3,
    { gaol: "a" },
    { tasks: [{ gaol: "a" }] },
    { goal: "a", tasks: ["b"] },
    [{ goal: 3 }],
  ])
    assert.equal(accepts(wrong), false, JSON.stringify(wrong));
  const examples = join(import.meta.dirname, "../../../examples");
  const files = globSync("*.yaml", { cwd: examples }).filter((file) => !file.endsWith("-config.yaml"));
  assert.ok(files.length > 0);
  for (const file of files)
    assert.equal(
      accepts(parse(readFileSync(join(examples, file), "utf8"))),
      true,
      `${file}: ${accepts.errors?.[0]?.message}`,
    );
});

test("deputy schema config accepts a config and rejects an unknown key; any other word is an error", async () => {
  const accepts = await schemaOf("config");
  assert.equal(accepts({ model: "glm-4.7", delegation: { max_cost_usd: 2 } }), true);
  assert.equal(accepts({ modle: "glm-4.7" }), false);
  const { code, stderr } = await deputy(["schema", "tasks"]);
  assert.equal(code, 2);
  assert.match(stderr, /task, config/);
});
