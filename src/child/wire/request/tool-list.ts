/** Tools in the form of the provider packages, each written once per form of schema. */
import { createHash } from "node:crypto";
import type { LanguageModelV4FunctionTool } from "@ai-sdk/provider";
import { z } from "zod";
import type { Tool } from "../../../tool.ts";
import { getOrMake } from "../../../values/get-or-make.ts";
import type { Dialect } from "../dialect/dialect.ts";
import { toolSchema } from "./tool-schema.ts";

type Spec = LanguageModelV4FunctionTool;

/** The tools of a request, and the hash of that list. */
export type ToolList = { tools: Spec[]; sha256: string };

type SchemaForm = Dialect["toolSchema"];

export function createToolLists(): (tools: readonly Tool[], form: SchemaForm) => ToolList {
  const specs = new WeakMap<z.ZodType, Map<SchemaForm, Spec>>();
  const lists = new WeakMap<readonly Tool[], Map<SchemaForm, ToolList>>();

  function specOf(tool: Tool, form: SchemaForm): Spec {
    const ofTool = getOrMake(specs, tool.input, () => new Map<SchemaForm, Spec>());
    return getOrMake(ofTool, form, () => ({
      type: "function",
      name: tool.name,
      description: tool.description,
      inputSchema: toolSchema(
        tool.parameters ?? z.toJSONSchema(tool.input, { io: "input" }),
        form,
      ) as Spec["inputSchema"],
    }));
  }

  return (tools, form) => {
    const ofList = getOrMake(lists, tools, () => new Map<SchemaForm, ToolList>());
    return getOrMake(ofList, form, () => toolListOf(tools.map((tool) => specOf(tool, form))));
  };
}

/** A list that was stored. */
export function storedToolList(tools: readonly object[]): ToolList {
  return toolListOf(tools as Spec[]); // `toolListOf` made them.
}

export function toolListOf(tools: Spec[]): ToolList {
  return { tools, sha256: createHash("sha256").update(JSON.stringify(tools)).digest("hex") };
}
