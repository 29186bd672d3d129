// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** One value of a YAML text is set; the rest of the text stays as it was written. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parse } from "yaml";
import { editedText } from "../../src/config/edit-text.ts";
import { keyPathIn } from "../../src/values/key-path.ts";

const TEXT = `# A comment on top.
model: glm-4.7        # the model
providers:
    zai: {api_key: \${GLM_API_KEY}}   # key

    lab:
        base_url: http://x/v1   # here


# The rules.
permissions:
- {tool: terminal, match: "git *", then: allow}
delegation:
`;

function edited(key: string, value: unknown, text = TEXT): string {
  const path = keyPathIn(key.replace(/\[\]$/, ""));
  assert.ok(path, key);
  return editedText(text, { path, appends: key.endsWith("[]") }, value);
}

describe("setting a value", () => {
  const edits: [key: string, value: unknown, from: string, to: string][] = [
    ["model", "glm-5.1", "model: glm-4.7  ", "model: glm-5.1  "],
    ["providers.zai.api_key", "${OTHER}", "${GLM_API_KEY}", "${OTHER}"],
    ["permissions[0].then", "deny", "then: allow", "then: deny"],
    ["providers.lab.max_concurrent", 3, "v1   # here\n", "v1   # here\n        max_concurrent: 3\n"],
    ["permissions[]", { tool: "terminal", then: "ask" }, "allow}\n", "allow}\n- { tool: terminal, then: ask }\n"],
    ["models.small", "x", "delegation:\n", "delegation:\nmodels:\n  small: x\n"],
  ];
  for (const [key, value, from, to] of edits)
    test(`changes only ${key}`, () =>
      assert.equal(
        edited(key, value),
        TEXT.replace(from, () => to),
      ));

  test("keeps the comments where the place is unusual", () => {
    const text = edited("delegation.max_iterations", 5);
    for (const comment of ["# A comment on top.", "# the model", "# key", "# here", "# The rules."])
      assert.ok(text.includes(comment), text);
    assert.match(text, /\{ api_key: \$\{GLM_API_KEY\} \}[\s\S]*delegation:\n {2}max_iterations: 5\n$/);
  });

  test("starts an empty file, or one of comments", () => {
    assert.deepEqual(parse(edited("permissions[]", { tool: "x" }, "")), { permissions: [{ tool: "x" }] });
    assert.equal(edited("a.b", 3, "# only\n"), "# only\n\na:\n  b: 3\n");
  });

  test("writes texts that look like something else in quotes", () => {
    assert.equal(parse(edited("model", "on: yes # no", "model: x\n")).model, "on: yes # no");
    assert.equal(parse(edited("model", "12", "model: x\n")).model, "12");
  });
});

describe("a typed key", () => {
  test("has names, quoted names and positions", () => {
    assert.deepEqual(keyPathIn('models."a.b".fallbacks[2].model'), ["models", "a.b", "fallbacks", 2, "model"]);
  });
  for (const wrong of ["", ".", "a.", "a..b", "[0]", 'a."b', "a[x]", "a[0]b"])
    test(`is not ${JSON.stringify(wrong)}`, () => assert.equal(keyPathIn(wrong), undefined));
});
