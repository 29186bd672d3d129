/**
 * The scripted model of an agent program: it delegates three tasks when it is asked to and `delegate_task` is offered,
 * fetches what is still running, and reports the results. It depends only on what it is sent.
 */
import type { ApiMode } from "../../src/route.ts";
import type { ModelRequest, Script, Turn } from "../../src/testing/index.ts";

export const QUESTION = "Delegate a haiku on three animals to three providers.";

type TaskCase = {
  goal: string;
  provider: string;
  apiMode: ApiMode;
  model: string;
  keyVariable: string;
  key: string;
  answer: string;
};

export const TASKS: readonly TaskCase[] = [
  {
    goal: "Write a haiku about a lion.",
    provider: "savanna",
    apiMode: "chat_completions",
    model: "lion-1",
    keyVariable: "SAVANNA_API_KEY",
    key: "key-of-savanna-0001",
    answer: "Gold mane in the dusk",
  },
  {
    goal: "Write a haiku about a heron.",
    provider: "marsh",
    apiMode: "anthropic_messages",
    model: "heron-2",
    keyVariable: "MARSH_API_KEY",
    key: "key-of-marsh-0002",
    answer: "Grey wing over reeds",
  },
  {
    goal: "Write a haiku about a whale.",
    provider: "ocean",
    apiMode: "responses",
    model: "whale-3",
    keyVariable: "OCEAN_API_KEY",
    key: "key-of-ocean-0003",
    answer: "Deep song in the blue",
  },
];

export function createParentScript(): Script {
  return (request) => {
    const results = request.messages.flatMap(({ toolResults }) => toolResults);
    const last = results.at(-1)?.text;
    if (last === undefined) return delegating(request);
    return { text: `What came back:\n${last}` };
  };
}

/** Programs prefix the tools of a server differently: `deputy_delegate_task`, `mcp__deputy__delegate_task`. */
function delegating(request: ModelRequest): Turn {
  const tool = request.tools.find(({ name }) => name.endsWith("delegate_task"));
  if (tool === undefined || !request.messages.some(({ text }) => text.includes(QUESTION))) return { text: "Noted." };
  const tasks = TASKS.map(({ goal, provider, model }) => ({ goal, provider, model, toolsets: [] }));
  const { name, namespace } = tool;
  return { toolCalls: [{ name, input: { tasks }, ...(namespace !== undefined && { namespace }) }] };
}
