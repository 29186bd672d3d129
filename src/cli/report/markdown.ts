/**
 * A report as Markdown. Words of models and tasks stand only in fenced blocks and escaped text, so that they are shown
 * and never interpreted: no link, image or HTML of theirs takes effect.
 */
import { harmless } from "../../text/spelled-text.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import type { ChildReport, FileChange, ReportFact, RunReport } from "./report-document.ts";

export function toMarkdown({ title, facts, children }: RunReport): string {
  return `${[`# ${inline(title)}`, list(facts), ...children.map(childSection)].join("\n\n")}\n`;
}

function childSection({ title, completed, facts, goal, answer, changes }: ChildReport): string {
  return [
    `## ${completed ? "✓" : "✗"} ${inline(title)}`,
    fenced(goal),
    list(facts),
    ...(answer.trim() === "" ? [] : ["### Answer", fenced(answer)]),
    ...(changes.length === 0 ? [] : ["### Changes", ...changes.flatMap(changeBlock)]),
  ].join("\n\n");
}

function changeBlock({ path, removed, added }: FileChange): string[] {
  const lines = [...removed.map((line) => `-${line}`), ...added.map((line) => `+${line}`)];
  return [inline(path), fenced(lines.join("\n"), "diff")];
}

function list(facts: readonly ReportFact[]): string {
  return facts.map(([name, value]) => `- ${name}: ${inline(value)}`).join("\n");
}

/** Escapes everything that Markdown or HTML could read. A colon before a space or between digits begins no link. */
function inline(text: string): string {
  return oneLine(text).replace(/[\\`*_{}[\]()#+!|~<>&]|(?<!\d):(?!\s|$)|:(?![\s\d]|$)/g, (found) =>
    found === ":" ? "&#58;" : `\\${found}`,
  );
}

/** A block whose fence is longer than any in the text. */
function fenced(text: string, language = "text"): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((run) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${harmless(text).trimEnd()}\n${fence}`;
}
