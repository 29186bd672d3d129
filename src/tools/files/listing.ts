/** The lines that a search returns to the model: collected until there are enough, with notes on what is missing. */
import type { ToolOutput } from "../../tool.ts";
import type { SearchEnd } from "./ripgrep.ts";

const MAX_CHARACTERS = 30_000;

/** @param most maximum number of lines */
export function createListing(most: number, what: "files" | "lines") {
  const lines: string[] = [];
  let characters = 0;
  let cut = false;
  return {
    add(line: string): boolean {
      cut = lines.length === most || characters >= MAX_CHARACTERS;
      if (cut) return false;
      lines.push(line);
      characters += line.length;
      return true;
    },
    isEmpty: () => lines.length === 0,
    /** A note that names the files, if there are any. */
    named: (heading: string) => (lines.length === 0 ? [] : [`[${heading}: ${lines.join(", ")}${cut ? ", …" : ""}]`]),
    output({ timedOut, problem }: SearchEnd, nothing: string, leftOut: string[]): ToolOutput {
      const notes: string[] = [];
      if (cut) notes.push(`[Cut: only the first ${lines.length} ${what} are shown. Narrow the search.]`);
      if (timedOut) notes.push("[Stopped because it took too long: there may be more. Search a smaller directory.]");
      if (problem !== undefined) notes.push(problem);
      const ok = !timedOut && (problem === undefined || lines.length > 0);
      const text = [...lines, ...notes].join("\n") || nothing;
      return { ok, text: [text, ...leftOut].join("\n") };
    },
  };
}
