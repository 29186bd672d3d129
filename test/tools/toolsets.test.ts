/** The tools that a child gets. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { TOOLSETS } from "../../src/config-schema.ts";
import { createTools, type ToolsOptions } from "../../src/tools/toolsets.ts";

const options: ToolsOptions = {
  workspace: "/nowhere",
  extraDirs: [],
  own: { directories: [], files: [] },
  realPaths: {},
  toolsets: TOOLSETS,
  environment: () => ({}),
  terminal: { timeoutMs: 1_000 },
  web: {
    hosts: [],
    privateHosts: [],
    proxyFor: () => undefined,
    convert: async () => ({ title: "", markdown: "" }),
    search: { engine: "searxng", send: async () => ({ status: 200, text: "" }) },
  },
  redact: (text) => text,
};

test("a toolset brings its tools, in the order that was asked for", () => {
  const names = (toolsets: string[]) => createTools({ ...options, toolsets }).map(({ name }) => name);
  assert.deepEqual(names(["file"]), ["read_file", "write_file", "edit_file", "apply_patch", "list_dir"]);
  assert.deepEqual(names(["terminal", "search"]), [
    ...["terminal", "terminal_output", "terminal_stop"],
    ...["glob", "grep"],
  ]);
  assert.deepEqual(names(["web"]), ["web_fetch", "web_search"]);
  assert.deepEqual(names([]), []);
});

test("only tools that change nothing outside of the child count as reads", () => {
  const reads = createTools(options).filter(({ effect }) => effect === "read");
  assert.deepEqual(
    reads.map(({ name }) => name),
    ["read_file", "list_dir", "glob", "grep", "terminal_output", "web_fetch", "web_search", "todo"],
  );
});

test("an unknown field is rejected, and every field has a description", () => {
  for (const tool of createTools(options)) {
    assert.ok(
      !tool.input.safeParse({ path: "a", content: "", pattern: "a", command: "a", items: [], no_such_field: 1 })
        .success,
    );
    const schema = z.toJSONSchema(tool.input, { io: "input" });
    for (const [field, property] of Object.entries(schema.properties ?? {})) {
      assert.ok(typeof property === "object" && property.description, `${tool.name}.${field}`);
    }
  }
});

test("thousands of children share the schemas, and their tools are made in no time", () => {
  const startedAt = performance.now();
  const sets = Array.from({ length: 4_096 }, () => createTools(options));
  assert.ok(performance.now() - startedAt < 2_000);
  const [first, last] = [sets.at(0), sets.at(-1)];
  assert.deepEqual(
    first?.map(({ input }) => input),
    last?.map(({ input }) => input),
  );
  assert.ok(first?.every(({ input }, index) => input === last?.[index]?.input));
});
