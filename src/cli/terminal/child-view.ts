/**
 * Stepping into one child of the tree: arrows choose a child, Enter shows its text and tool calls as they arrive, and
 * Escape returns to the tree.
 */
import type { Event } from "../../event.ts";
import { harmless } from "../../text/spelled-text.ts";
import type { Key } from "../chat/keyboard/keyboard.ts";
import { lastOutput, noteOn } from "./event-lines.ts";
import { inRows } from "./markdown/text-flow.ts";
import { oneLine } from "./terminal-text.ts";

/** Characters kept of a child's text and calls. */
const LOG_LENGTH = 8_000;

export type ChildView = {
  onEvent(event: Event): void;
  /** @param open ids of the children that can be chosen, in the order of their rows */
  onKey(key: Exclude<Key, "suspend">, open: readonly string[]): void;
  /** The child whose row is marked. */
  readonly chosen: string | undefined;
  /** The child that is shown instead of the tree. */
  readonly opened: string | undefined;
  /** The end of the opened child's text and calls. */
  rows(columns: number, most: number): string[];
};

export function createChildView(): ChildView {
  const logs = new Map<string, string>();
  let chosen: string | undefined;
  let isOpen = false;

  function add(childId: string, text: string): void {
    logs.set(childId, ((logs.get(childId) ?? "") + text).slice(-LOG_LENGTH));
  }

  return {
    onEvent(event) {
      if (!("childId" in event)) return;
      if (event.kind === "text-delta") return add(event.childId, event.text);
      const note = noteOn(event, { verbose: true });
      if (note === undefined) return;
      const isFresh = /(^|\n)$/.test(logs.get(event.childId) ?? "");
      const lines = [`${note.sign} ${oneLine(note.text)}`, ...lastOutput(event).map((line) => `  ${line}`)];
      add(event.childId, `${isFresh ? "" : "\n"}${lines.join("\n")}\n`);
    },
    onKey(key, open) {
      const at = open.indexOf(chosen ?? "");
      if (key === "escape" && !isOpen) chosen = undefined;
      if (key === "escape") isOpen = false;
      else if (key === "enter") isOpen = chosen !== undefined;
      else if (open.length > 0) chosen = open[(at + (key === "down" ? 1 : at < 0 ? 0 : open.length - 1)) % open.length];
    },
    get chosen() {
      return chosen;
    },
    get opened() {
      return isOpen ? chosen : undefined;
    },
    rows(columns, most) {
      const text = harmless(logs.get(chosen ?? "") ?? "").trimEnd();
      const rows = text.split("\n").flatMap((line) => (line === "" ? [""] : inRows(line, columns)));
      return most < 1 ? [] : rows.slice(-most);
    },
  };
}
