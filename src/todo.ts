/** The list that a child keeps of its work. */

export const TODO_STATES = ["open", "active", "done"] as const;
export type TodoItem = { text: string; status: (typeof TODO_STATES)[number] };

const SIGN: Record<TodoItem["status"], string> = { open: "[ ]", active: "[>]", done: "[x]" };

/** The list as lines, for models and people. */
export function todoLines(items: readonly TodoItem[]): string[] {
  return items.map(({ text, status }) => `${SIGN[status]} ${text}`);
}

/** `2/5 · Write the tests`: how many are done, and the item in progress, else the next one. */
export function todoInShort(items: readonly TodoItem[]): string {
  const done = items.filter(({ status }) => status === "done").length;
  const current = items.find(({ status }) => status === "active") ?? items.find(({ status }) => status === "open");
  return [`${done}/${items.length}`, ...(current === undefined ? [] : [current.text])].join(" · ");
}
