/**
 * A report as one HTML file without scripts, and with a policy that forbids them and every request. All text is escaped.
 */
import { harmless } from "../../text/spelled-text.ts";
import type { ChildReport, FileChange, ReportFact, RunReport } from "./report-document.ts";

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; padding: .75rem; border: 1px solid #8886; border-radius: 6px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; } dt { opacity: .7; } dd { margin: 0; }
.done { color: #0a7f3f; } .failed { color: #c2342b; } .added { color: #0a7f3f; } .removed { color: #c2342b; }
:root { color-scheme: light dark; }
`;

const POLICY = "default-src 'none'; style-src 'unsafe-inline'";

export function toHtml({ title, facts, children }: RunReport): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${escaped(title)}</h1>
${list(facts)}
${children.map(childSection).join("\n")}
</body>
</html>
`;
}

function childSection({ title, completed, facts, goal, answer, changes }: ChildReport): string {
  const mark = completed ? '<span class="done">✓</span>' : '<span class="failed">✗</span>';
  return [
    "<section>",
    `<h2>${mark} ${escaped(title)}</h2>`,
    block(goal),
    list(facts),
    ...(answer.trim() === "" ? [] : ["<h3>Answer</h3>", block(answer)]),
    ...(changes.length === 0 ? [] : ["<h3>Changes</h3>", ...changes.map(changeBlock)]),
    "</section>",
  ].join("\n");
}

function changeBlock({ path, removed, added }: FileChange): string {
  const line = (kind: string, sign: string) => (text: string) => `<span class="${kind}">${sign}${escaped(text)}</span>`;
  const lines = [...removed.map(line("removed", "-")), ...added.map(line("added", "+"))];
  return `<p><code>${escaped(path)}</code></p>\n<pre>${lines.join("\n")}</pre>`;
}

function list(facts: readonly ReportFact[]): string {
  return `<dl>\n${facts.map(([name, value]) => `<dt>${escaped(name)}</dt><dd>${escaped(value)}</dd>`).join("\n")}\n</dl>`;
}

function block(text: string): string {
  return `<pre>${escaped(text.trimEnd())}</pre>`;
}

const ENTITIES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escaped(text: string): string {
  return harmless(text).replace(/[&<>"']/g, (found) => ENTITIES[found] ?? found);
}
