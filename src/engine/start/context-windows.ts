/**
 * Rejects tasks whose first request is longer than their model's context window. No compaction could shorten it: their
 * children would start only to fail.
 */
import { dialectOf } from "../../child/wire/dialect/dialect-of.ts";
import { createToolLists } from "../../child/wire/request/tool-list.ts";
import { firstRequestTokens } from "../../child/worst-case.ts";
import type { Problem } from "../../errors.ts";
import type { Planned, Ready } from "../../plan.ts";
import type { Route } from "../../route.ts";
import { bytesOf } from "../../routing/files.ts";
import { createFirstRequests, type PlannedCall } from "./first-requests.ts";

/** Certainly more than the rules, notes, skills and tools that Deputy adds to a task, by a low estimate. */
const MOST_ADDED_TOKENS = 16_000;

/** @returns the plan, with a problem for each task that is too long for its window */
export function withinWindows(plannedCall: PlannedCall, surface: string): Promise<Planned[]> {
  const firstRequestOf = createFirstRequests(plannedCall, surface);
  const toolLists = createToolLists();

  async function problemOf(ready: Ready): Promise<Problem | undefined> {
    const { route } = ready;
    const { contextWindow } = route.facts;
    const texts = textsOf(ready, plannedCall);
    const ofTask = Object.values(texts).reduce((sum, length) => sum + length, 0);
    if (contextWindow === undefined || firstRequestTokens(ofTask, 0) + MOST_ADDED_TOKENS <= contextWindow)
      return undefined;
    const { system, tools } = await firstRequestOf(ready);
    const definitions = JSON.stringify(toolLists(tools, dialectOf(route).toolSchema).tools);
    const tokens = {
      ofTask: firstRequestTokens(ofTask, 0),
      inAll: firstRequestTokens(ofTask, system - texts.prompt + definitions.length),
    };
    return tokens.inAll <= contextWindow ? undefined : tooLong(texts, tokens, tools.length, route);
  }

  async function checked(entry: Planned): Promise<Planned> {
    const problem = "route" in entry ? await problemOf(entry) : undefined;
    return problem === undefined ? entry : { task: entry.task, problem };
  }

  return Promise.all(plannedCall.planned.map(checked));
}

/** Of a first request: by its task's texts alone, and in all. */
type Tokens = { ofTask: number; inAll: number };

/** Lengths of what a task is given, in characters. A byte of a file counts as one. */
type TextLengths = { goal: number; context: number; files: number; prompt: number; schema: number };

function textsOf({ task, agent, files = [] }: Ready, { call, agents }: PlannedCall): TextLengths {
  return {
    goal: task.goal.length,
    context: (task.context?.length ?? 0) + (call.context?.length ?? 0),
    files: bytesOf(files),
    prompt: agent === undefined ? 0 : (agents[agent]?.length ?? 0),
    schema: task.output_schema === undefined ? 0 : JSON.stringify(task.output_schema).length,
  };
}

function tooLong(texts: TextLengths, { ofTask, inAll }: Tokens, toolCount: number, route: Route): Problem {
  const { model, provider, facts } = route;
  const count = (number: number) => number.toLocaleString("en");
  const field = ofTask < inAll / 2 ? "model" : longestOf(texts);
  const added = `at least ${count(inAll - ofTask)} of them for the system prompt and ${count(toolCount)} tools`;
  const found = `about ${count(inAll)}${field === "model" ? `, ${added}` : ""}`;
  return {
    code: "context-too-large",
    field,
    message:
      `Expected at most ${count(facts.contextWindow ?? 0)} tokens, the context window of ${model} @ ${provider}; found ` +
      `${found}. ${SHORTER[field]}`,
    suggestions: [],
  };
}

/** The field with most of the texts; those of no other field count as the context. */
function longestOf({ goal, files, context, prompt, schema }: TextLengths): "goal" | "context" | "files" {
  const half = (goal + files + context + prompt + schema) / 2;
  if (files > half) return "files";
  return goal > half ? "goal" : "context";
}

const SHORTER = {
  goal: "Shorten goal, or put the text into a file of the workspace.",
  context: "Shorten context, or put the text into a file of the workspace.",
  files: "Name fewer files; the child can read the rest with its tools.",
  model: "Choose a model with a larger window, or fewer toolsets.",
};
