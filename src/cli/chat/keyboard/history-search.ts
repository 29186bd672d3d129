/** Ctrl-R: searches the earlier lines, newest first, while letters are typed. */
import type { LineEditor } from "./line-editor.ts";

/** What the keys of a search do next: it continues, or a line goes to the editor with keys that follow it. */
export type SearchStep = { prompt: string; line: string } | { line: string; keys: string };

export type HistorySearch = {
  /** @param keys typed at once */
  take(keys: string): SearchStep;
  /** Ends without a result. @returns the line as it was */
  cancel(): string;
};

const OLDER = "\x12";
const BACKSPACE = ["\x7f", "\b"];
/** Ctrl-C and Ctrl-G. */
const CANCEL = ["\x03", "\x07"];
const ENTER = /^[\r\n]+$/;

/**
 * @param lines newest first
 * @param before the line that was being typed
 */
export function createHistorySearch(lines: readonly string[], before: string): HistorySearch {
  let query = "";
  let skipped = 0;

  function found(): string[] {
    const wanted = query.toLowerCase();
    return wanted === "" ? [] : [...new Set(lines.filter((line) => line.toLowerCase().includes(wanted)))];
  }

  function shown(): SearchStep {
    const matches = found();
    skipped = Math.max(0, Math.min(skipped, matches.length - 1));
    const label = matches.length === 0 && query !== "" ? "nothing found for" : "search";
    return { prompt: `${label} “${query}”: `, line: matches[skipped] ?? "" };
  }

  return {
    take(keys) {
      if (CANCEL.includes(keys)) return { line: before, keys: "" };
      if (keys === OLDER) skipped += 1;
      else if (BACKSPACE.includes(keys)) query = Array.from(query).slice(0, -1).join("");
      else if (/^\P{Cc}+$/u.test(keys)) {
        query += keys;
        skipped = 0;
      } else return { line: found()[skipped] ?? before, keys: ENTER.test(keys) ? "" : keys };
      return shown();
    },
    cancel: () => before,
  };
}

/** The search of a line editor's history, while there is one. */
export function createSearching(editor: Pick<LineEditor, "history" | "typed" | "prompt" | "replace">) {
  let current: { search: HistorySearch; prompt: string } | undefined;

  function end(line: string): void {
    const { prompt = "" } = current ?? {};
    current = undefined;
    editor.replace(prompt, line);
  }

  /** Returns what is for the line editor. */
  function step(key: string): string {
    const next = current?.search.take(key) ?? { line: undefined, keys: key };
    if ("prompt" in next) editor.replace(next.prompt, next.line);
    else if (next.line !== undefined) end(next.line);
    return "prompt" in next ? "" : next.keys;
  }

  return {
    begin(): void {
      current = { search: createHistorySearch(editor.history, editor.typed), prompt: editor.prompt };
      editor.replace("search “”: ", "");
    },
    /** Takes the keys of a search. @returns the keys that are for the line editor; undefined without a search */
    take(keys: string): string | undefined {
      if (current === undefined) return undefined;
      const keysInTurn = keys.startsWith("\x1b") ? [keys] : Array.from(keys);
      return keysInTurn.map(step).join("");
    },
    /** Ends the search and restores the line. @returns false if there was none */
    leave(): boolean {
      if (current === undefined) return false;
      end(current.search.cancel());
      return true;
    },
    /** Ends the search. @returns the line as it was before; undefined if there was none */
    stop(): string | undefined {
      const line = current?.search.cancel();
      current = undefined;
      return line;
    },
  };
}
