/**
 * What a child is told at its start. What siblings share comes first and the task's own words last, so that providers
 * can cache the common beginning.
 */
import { join } from "node:path";
import type { Warning } from "../errors.ts";
import { type ReadBounds, readForeignTextLater } from "../foreign-file.ts";
import type { ImageRef } from "../image.ts";
import type { Task } from "../task.ts";

/** Longest project notes included, in characters; a cut is marked. */
const MAX_NOTES = 40_000;
/** Enough for that many characters, with a rest: a key at the end of them is still whole when it is redacted. */
const MAX_NOTES_BYTES = 256 * 1024;

const GROUND_RULES = `You are a child agent of Deputy: a parent delegated one task to you. Work on it on your own until it is done; nobody answers questions.
Your last message, the one in which you call no tool, is your result: the parent reads that and nothing else. Put into it what was asked for, complete and to the point.
Say only what you did and found. If something could not be done, say so, and why.`;

const MAY_DELEGATE = `With delegate_task you hand parts of your task to children of your own, all at once in parallel. Delegate where the work falls into independent parts; a child knows only what you write into its task. Of what children did, say only what their results say.`;

const CONVERSATION_RULES = `You are Deputy, an agent in a conversation with its user. Answer, and work with your tools, as the user asks.
With delegate_task you hand tasks to child agents, each on its own model, provider and effort, all at once in parallel. Delegate where the user asks for it, and where work falls into independent parts. A child sees nothing of this conversation: write into each task all it has to know.
Take model and provider exactly as the user names them: a model without a provider is written without one. When a task is rejected, its error says what would work: correct the call where the user's wish stays clear, otherwise ask.
Of what children did, say only what their results say. The user sees at which model and provider each of them ran, and reads your answer in a terminal: be short.`;

/** The system prompt of a conversation with the user. */
export function conversationPrompt(workspace: string, toolNames: string[], notes: string | undefined): string {
  const tools =
    toolNames.length === 0
      ? "You have no tools."
      : `Your file tools work in the directory ${workspace}. A call that the user denies stays denied.`;
  return [CONVERSATION_RULES, tools, notes && `Notes of this project:\n\n${notes}`].filter(Boolean).join("\n\n");
}

/**
 * The system prompt: the same for every child of one workspace and toolset.
 * @param part the prompt of its agent definition, last: others of the workspace share what stands before it
 */
export function childPrompt(workspace: string, toolNames: string[], notes: string | undefined, part?: string): string {
  const tools =
    toolNames.length === 0
      ? "You have no tools: answer from what you are told."
      : `Your tools work in the directory ${workspace}. A call that is denied stays denied: find another way or report it.`;
  const delegates = toolNames.includes("delegate_task") && MAY_DELEGATE;
  const texts = [
    GROUND_RULES,
    tools,
    delegates,
    notes && `Notes of this project:\n\n${notes}`,
    part && `Your part:\n\n${part}`,
  ];
  return texts.filter(Boolean).join("\n\n");
}

/** The task itself: what all tasks of the call share, then its own context, its goal, and the form of the answer. */
export function taskPrompt(task: Task, sharedContext: string | undefined, images: readonly ImageRef[] = []): string {
  const shown = images.length > 0 && `Images shown above, in order: ${images.map(({ name }) => name).join(", ")}`;
  const schema =
    task.output_schema &&
    `Answer with one JSON value and nothing around it, valid against this JSON Schema:\n${JSON.stringify(task.output_schema)}`;
  return [sharedContext, shown, task.context, task.goal, schema].filter(Boolean).join("\n\n");
}

/** `warnings`: notes that are there and cannot be read. */
export type Notes = { text?: string; warnings: Warning[] };

/** What may be read as notes, and what is taken out of them. */
export type NotesBounds = Pick<ReadBounds, "within" | "isOwn"> & { redact(text: string): string };

/** The notes a project keeps for agents: AGENTS.md, else CLAUDE.md, in the workspace. */
export async function projectNotes(workspace: string, { redact, ...bounds }: NotesBounds): Promise<Notes> {
  const warnings: Warning[] = [];
  for (const name of ["AGENTS.md", "CLAUDE.md"]) {
    const path = join(workspace, name);
    const found = await readForeignTextLater(path, { ...bounds, maxBytes: MAX_NOTES_BYTES, mayCut: true });
    if (found === undefined) continue;
    if ("text" in found) return { text: inNotesLength(redact(found.text), name), warnings };
    const message = `${path}: ${found.unreadable}. The child works without these notes.`;
    warnings.push({ code: "notes-unreadable", message });
  }
  return { warnings };
}

function inNotesLength(text: string, name: string): string {
  if (text.length <= MAX_NOTES) return text;
  return `${text.slice(0, MAX_NOTES).toWellFormed()}\n[cut: only the first ${MAX_NOTES} characters of ${name} are here]`;
}

export const FINAL_ANSWER_PROMPT = `You have reached the limit of what you may use. Do not call any tool. Answer now with what you have: what is done, what was found, and what is still open.`;

/** The one turn in which a child may repair an answer that does not fit its schema. */
export function repairPrompt(errors: string[]): string {
  return `Your answer does not fit the JSON Schema you were given:\n${errors.map((error) => `- ${error}`).join("\n")}\nAnswer again with one JSON value and nothing around it.`;
}
