/**
 * Models for testing a chat. The parent's model knows only its input: it reads the user's sentence, writes calls by the
 * JSON Schema of its tool, and corrects them by the tool's errors. Children answer their goal.
 */
import type { ModelRequest, Turn } from "../../src/testing/index.ts";

type Wanted = { goal: string; model?: string; provider?: string; reasoning_effort?: string; tags?: string[] };

const ANIMALS = ["lion", "falcon", "dolphin", "otter", "crow", "hare", "wasp", "mole", "stork", "newt", "lynx", "toad"];
const NUMBERS: Record<string, number> = { two: 2, three: 3, four: 4, five: 5, ten: 10, twelve: 12 };

/** The parent is the model that has a tool to delegate with. */
export function speak(request: ModelRequest): Turn {
  return request.tools.some(({ name }) => name === "delegate_task") ? parent(request) : child(request);
}

// The parent ---------------------------------------------------------------------------------------------------------

function parent(request: ModelRequest): Turn {
  const last = request.messages.at(-1);
  if (last?.role === "tool") return afterTool(request, last.toolResults.map(({ text }) => text).join("\n"));
  const sentence = request.lastUserText;
  const [, id] = /^check (\S+)/.exec(sentence) ?? [];
  if (id !== undefined) return { toolCalls: [{ name: "check_delegation", input: { id } }] };
  if (!/delegate|let|ask|have|hand/i.test(sentence)) return { text: `You said: ${sentence}` };
  const wanted = wantedIn(sentence);
  const isStepwise = /\bthen\b/.test(sentence);
  return calling(request, isStepwise ? wanted.slice(0, 1) : wanted, /background/.test(sentence));
}

/** Reacts to the result: corrects a rejected task, takes the next of several steps, or reports. */
function afterTool(request: ModelRequest, result: string): Turn {
  const turn = request.messages.slice(request.messages.findLastIndex(({ role }) => role === "user"));
  const sentence = turn[0]?.text ?? "";
  const calls = turn.flatMap(({ toolCalls }) => toolCalls);
  const [, meant] = /Did you mean ([\w.-]+)/.exec(result) ?? [];
  const lastInput = calls.at(-1)?.input as Record<string, unknown> | undefined;
  if (meant !== undefined && calls.length === 1 && lastInput !== undefined) {
    return {
      text: `I meant ${meant}.`,
      toolCalls: [{ name: "delegate_task", input: { ...lastInput, provider: meant } }],
    };
  }
  const wanted = wantedIn(sentence);
  const next = /\bthen\b/.test(sentence) ? wanted[calls.length] : undefined;
  if (next !== undefined)
    return calling(request, [{ ...next, goal: `${next.goal}\nFound so far: ${answersIn(result)[0]}` }], false);
  return { text: `Here is what came back.\n${answersIn(result).join("\n")}` };
}

/** The answers in the tool's output, or the output if there are none. */
function answersIn(result: string): string[] {
  const answers = result.match(/^(Haiku|Found|Review|Answer)\b.*$/gm) ?? [];
  return answers.length > 0 ? answers : [result.slice(0, 400)];
}

/** A call by the tool's own schema. A field that the schema lacks is an error of this script. */
function calling({ tools }: ModelRequest, wanted: Wanted[], background: boolean): Turn {
  const schema = tools.find(({ name }) => name === "delegate_task")?.schema as Schema;
  const inTask = Object.keys(schema.properties.tasks?.items?.properties ?? {});
  const besides = Object.keys(schema.properties);
  for (const task of wanted) {
    const unknown = Object.keys(task).filter((field) => !inTask.includes(field));
    if (unknown.length > 0) throw new Error(`delegate_task has no ${unknown.join(", ")}`);
  }
  if (background && !besides.includes("background")) throw new Error("delegate_task has no background");
  const [only, ...others] = wanted;
  const input = { ...(others.length === 0 ? only : { tasks: wanted }), ...(background && { background }) };
  return { text: `I delegate ${wanted.length} of them.`, toolCalls: [{ name: "delegate_task", input }] };
}

type Schema = { properties: Record<string, { items?: { properties?: Record<string, unknown> } }> };

/** The tasks of a sentence: `MODEL via PROVIDER` for each task, a number of tasks, or one. */
function wantedIn(sentence: string): Wanted[] {
  const routes = [...sentence.matchAll(/([\w./:-]+) via (not providing a provider|[\w-]+)/g)].map(
    ([, model = "", provider = ""]) => ({ model, ...(/^not /.test(provider) ? {} : { provider }) }),
  );
  const named = [...sentence.matchAll(/\b(?:to|let|have|then|ask) (small|large|haiku|opus|glm-[\d.]+)(?! via)\b/g)].map(
    ([, model = ""]) => ({ model }),
  );
  const [, effort] = /with (low|medium|high) effort/.exec(sentence) ?? [];
  const [, number = ""] = new RegExp(`\\b(${Object.keys(NUMBERS).join("|")})\\b`).exec(sentence) ?? [];
  const wishes: Omit<Wanted, "goal">[] =
    routes.length > 0 ? routes : named.length > 0 ? named : Array.from({ length: NUMBERS[number] ?? 1 }, () => ({}));
  return wishes.map((wish, index) => ({
    goal: goalIn(sentence, index, wishes.length),
    ...wish,
    ...(effort !== undefined && { reasoning_effort: effort }),
  }));
}

function goalIn(sentence: string, index: number, count: number): string {
  if (/explore/.test(sentence)) return index === 0 ? "Explore this directory." : "Review what was found.";
  if (/\brun\b/.test(sentence)) return `Run the command: ${/`([^`]+)`/.exec(sentence)?.[1]}`;
  const [, animal = "heron"] = /about an? (\w+)/.exec(sentence) ?? [];
  return `Write a haiku about a ${count === 1 ? animal : ANIMALS[index % ANIMALS.length]}.`;
}

// Children -----------------------------------------------------------------------------------------------------------

function child(request: ModelRequest): Turn {
  const goal = request.messages[0]?.text ?? "";
  const hasResult = request.messages.some(({ role }) => role === "tool");
  const [, command] = /Run the command: (.+)/.exec(goal) ?? [];
  if (command !== undefined && !hasResult) return { toolCalls: [{ name: "terminal", input: { command } }] };
  if (command !== undefined) return { text: `Answer: ${request.messages.at(-1)?.toolResults[0]?.text}` };
  if (goal.startsWith("Explore") && !hasResult) return { toolCalls: [{ name: "list_dir", input: { path: "." } }] };
  if (goal.startsWith("Explore"))
    return { text: `Found: ${request.messages.at(-1)?.toolResults[0]?.text.split("\n")[0]}` };
  if (goal.startsWith("Review")) return { text: `Review by ${request.model}: ${/Found.*/.exec(goal)?.[0]}` };
  const [, animal = "silence"] = /about an? (\w+)/.exec(goal) ?? [];
  return { text: `Haiku of ${request.model}: the ${animal} waits, the grass moves, evening.` };
}
