/** What a server lists becomes tools for models: valid names, bounded texts, schemas that vendors take. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parametersOf } from "../../../src/tools/mcp/parameters.ts";
import { readToolList } from "../../../src/tools/mcp/tool-list.ts";
import { toolNames } from "../../../src/tools/mcp/tool-names.ts";

const VALID = /^[A-Za-z][\w-]{0,63}$/;

function listed(tools: unknown[], allowed = ["*"]) {
  return readToolList(tools, { server: "docs", allowed, redact: (text) => text.replaceAll("sk-secret", "[secret]") });
}

describe("names for models", () => {
  const awkward = ["browser.click", "browser_click", "a b", "größe", "x".repeat(150), "*", "__proto__", "read/file"];

  test("are valid for every vendor, and different", () => {
    const names = toolNames("docs", awkward);
    for (const name of names) assert.match(name, VALID);
    assert.equal(new Set(names).size, awkward.length);
  });

  test("that are valid already stay as the server writes them", () => {
    assert.deepEqual(toolNames("docs", ["search", "get-page", "browser_click"]), [
      "mcp__docs__search",
      "mcp__docs__get-page",
      "mcp__docs__browser_click",
    ]);
  });

  test("do not depend on the order of the list", () => {
    const forward = toolNames("docs", awkward);
    const backward = toolNames("docs", awkward.toReversed()).toReversed();
    assert.deepEqual(forward, backward);
  });

  test("that long tools share at the start still differ", () => {
    const [first, second] = toolNames("docs", [`${"x".repeat(80)}a`, `${"x".repeat(80)}b`]);
    assert.notEqual(first, second);
    assert.equal(first?.length, 64);
  });
});

describe("schemas", () => {
  const cases: [what: string, written: unknown, expected: unknown][] = [
    ["none", undefined, { type: "object", properties: {} }],
    ["that are no objects", { type: "string" }, { type: "object", properties: {} }],
    ["with another schema's address", { $schema: "http://x", type: "object" }, { type: "object", properties: {} }],
    [
      "of alternatives have the properties of all",
      { oneOf: [{ properties: { a: { type: "string" } }, required: ["a"] }, { properties: { b: {} } }] },
      { type: "object", properties: { a: { type: "string" }, b: {} } },
    ],
    [
      "with definitions keep them",
      { type: "object", properties: { a: { $ref: "#/$defs/A" } }, required: ["a"], $defs: { A: { type: "number" } } },
      { type: "object", properties: { a: { $ref: "#/$defs/A" } }, required: ["a"], $defs: { A: { type: "number" } } },
    ],
  ];
  for (const [what, written, expected] of cases) test(what, () => assert.deepEqual(parametersOf(written), expected));

  test("that are too large or too deep are none", () => {
    assert.equal(parametersOf({ type: "object", description: "x".repeat(40_000) }), undefined);
    const deep = JSON.parse(`${'{"items":'.repeat(50_000)}{}${"}".repeat(50_000)}`);
    assert.equal(parametersOf(deep), undefined);
  });
});

describe("a list", () => {
  const tool = (name: unknown, more: object = {}) => ({ name, description: "d", inputSchema: {}, ...more });

  test("leaves out what is malformed, and keeps the rest", () => {
    const { offered, notes } = listed([null, 3, tool(7), tool(""), tool("a"), tool("a"), { name: "b" }]);
    assert.deepEqual(
      offered.map(({ name, description }) => [name, description]),
      [
        ["mcp__docs__a", "d"],
        ["mcp__docs__b", "b of the MCP server docs."],
      ],
    );
    assert.match(notes.join("\n"), /5 of its tools are left out/);
  });

  test("offers only what the config allows, and says what it does not find", () => {
    const { offered, notes } = listed([tool("get_a"), tool("get_b"), tool("set_a")], ["get_*", "find"]);
    assert.deepEqual(
      offered.map(({ tool: own }) => own),
      ["get_a", "get_b"],
    );
    assert.deepEqual(notes, ["It lists no tool find."]);
  });

  test("of 10,000 tools offers the first 100, and says so", () => {
    const { offered, notes } = listed(Array.from({ length: 10_000 }, (_, index) => tool(`t${index}`)));
    assert.equal(offered.length, 100);
    assert.match(notes.join("\n"), /lists 10000 tools; the first 100 are offered.*mcp_servers\.docs\.tools/);
  });

  test("has short descriptions, and no key in its texts", () => {
    const [only] = listed([
      tool("a", {
        description: `sk-secret ${"word ".repeat(10_000)}`,
        inputSchema: { properties: { a: { description: "sk-secret" } } },
      }),
    ]).offered;
    assert.ok(only !== undefined && only.description.length < 4_100);
    assert.match(only.description, /^\[secret\] word .* … \(cut\)$/);
    assert.doesNotMatch(JSON.stringify(only.parameters), /sk-secret/);
  });

  test("has the same hash for the same definition in another order, and another for another", () => {
    const hash = (written: object) => listed([{ name: "a", ...written }]).definitions.get("a");
    const schema = { type: "object", properties: { x: { type: "string" }, y: {} } };
    const turned = { properties: { y: {}, x: { type: "string" } }, type: "object" };
    const first = hash({ description: "d", inputSchema: schema });
    assert.equal(first, hash({ inputSchema: turned, description: "d", annotations: { readOnlyHint: true } }));
    assert.notEqual(first, hash({ description: "e", inputSchema: schema }));
    assert.notEqual(first, hash({ description: "d", inputSchema: { ...schema, required: ["x"] } }));
  });
});
