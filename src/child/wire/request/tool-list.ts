/** Tools in the form of the provider packages, each written once per form of schema. */
import { hash } from "node:crypto";
import { z } from "zod";
import type { Tool } from "../../../tool.ts";
import { getOrMake } from "../../../values/get-or-make.ts";
import type { Dialect } from "../dialect/dialect.ts";
import { toolSchema } from "./tool-schema.ts";

/** A tool as the provider packages take it, without their type: the public types must not need theirs. */
export type ToolSpec = { type: "function"; name: string; description: string; inputSchema: object };

/** The tools of a request, and the hash of that list. */
export type ToolList = { tools: ToolSpec[]; sha256: string };

type SchemaForm = Dialect["toolSchema"];

export function createToolLists(): (tools: readonly Tool[], form: SchemaForm) => ToolList {
  const specs = new WeakMap<z.ZodType, Map<SchemaForm, ToolSpec>>();
  const lists = new WeakMap<readonly Tool[], Map<SchemaForm, ToolList>>();
  /** Children of a run usually have the same tools: the last list is theirs, too. */
  const last = new Map<SchemaForm, ToolList>();

  function specOf(tool: Tool, form: SchemaForm): ToolSpec {
    const ofTool = getOrMake(specs, tool.input, () => new Map<SchemaForm, ToolSpec>());
    return getOrMake(ofTool, form, () => ({
      type: "function",
      name: tool.name,
      description: tool.description,
      inputSchema: toolSchema(
        tool.parameters ?? z.toJSONSchema(tool.input, { io: "input" }),
        form,
      ) as ToolSpec["inputSchema"],
    }));
  }

  function listOf(tools: readonly Tool[], form: SchemaForm): ToolList {
    const specs = tools.map((tool) => specOf(tool, form));
    const known = last.get(form);
    if (known?.tools.length === specs.length && specs.every((spec, at) => spec === known.tools[at])) return known;
    const list = toolListOf(specs);
    last.set(form, list);
    return list;
  }

  return (tools, form) => {
    const ofList = getOrMake(lists, tools, () => new Map<SchemaForm, ToolList>());
    return getOrMake(ofList, form, () => listOf(tools, form));
  };
}

/** A list that was stored. */
export function storedToolList(tools: readonly object[]): ToolList {
  return toolListOf(tools as ToolSpec[]); // `toolListOf` made them.
}

export function toolListOf(tools: ToolSpec[]): ToolList {
  return { tools, sha256: hash("sha256", JSON.stringify(tools), "hex") };
}
