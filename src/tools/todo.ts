/** `todo`: the child's short list of its work, which the user sees and no compaction removes. */
import { z } from "zod";
import { TODO_STATES, todoLines } from "../todo.ts";
import type { Tool } from "../tool.ts";

const MOST_ITEMS = 50;
const MOST_CHARACTERS = 300;

const input = z.strictObject({
  items: z
    .array(
      z.strictObject({
        text: z.string().min(1).max(MOST_CHARACTERS).describe("What is to be done, in one line."),
        status: z.enum(TODO_STATES).default("open").describe("open, active (at most one) or done."),
      }),
    )
    .max(MOST_ITEMS)
    .describe("The whole list, in order. It replaces the last one."),
});

export function createTodo(): Tool<z.infer<typeof input>> {
  return {
    name: "todo",
    description:
      "Replaces your list of work for this task. Use it for work in several steps: write the list first, and update it " +
      "after each step.",
    // Written again after a crash, the list is the same.
    effect: "read",
    input,
    subject: ({ items }) => ({ target: `${items.length} items`, otherwise: "allow" }),
    run: async ({ items }) => {
      const todo = items.map(({ text, status }) => ({ text: text.replace(/\s+/g, " ").trim(), status }));
      return { ok: true, text: todoLines(todo).join("\n") || "The list is empty.", todo };
    },
  };
}
