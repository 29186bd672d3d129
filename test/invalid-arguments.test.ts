/** A model with invalid arguments gets each error, its place, and the likely intended field. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { z } from "zod";
import { invalidArguments } from "../src/invalid-arguments.ts";
import type { Tool } from "../src/tool.ts";

const tool: Tool = {
  name: "look",
  description: "",
  effect: "read",
  input: z.strictObject({ path: z.string(), lines: z.array(z.number()).optional() }),
  subject: () => ({ target: "", otherwise: "allow" }),
  run: async () => ({ ok: true, text: "" }),
};

describe("arguments that do not fit", () => {
  for (const [behavior, written, told] of [
    ["name the field that was meant", { path: "a", line: [1] }, ["Unknown field `line`. Did you mean `lines`?"]],
    ["list the fields where none is near", { path: "a", x: 1 }, ["Unknown field `x`. Known fields: path, lines."]],
    [
      "name each of several unknown fields",
      { pth: "a", path: "a", x: 1 },
      ["Unknown field `pth`. Did you mean `path`?", "Unknown field `x`. Known fields: path, lines."],
    ],
    ["name the place of a value", { path: "a", lines: ["b"] }, [/^lines\.0: Invalid input: expected number/]],
    ["are named as a whole where they are no object", "a", [/^arguments: Invalid input: expected object/]],
  ] as const) {
    test(behavior, () => {
      const { error } = tool.input.safeParse(written);
      assert.ok(error);
      const [head, ...lines] = invalidArguments(tool, error).split("\n- ");
      assert.equal(head, "Invalid arguments for look:");
      assert.equal(lines.length, told.length);
      for (const [at, expected] of told.entries())
        if (typeof expected === "string") assert.equal(lines[at], expected);
        else assert.match(lines[at] ?? "", expected);
    });
  }
});
