/** One section per agent program: its entry as `deputy mcp install` writes it, the file it goes in, and notes. */
import { AGENT_PROGRAMS, type AgentProgram } from "../../src/cli/serving/agent-programs.ts";
import { snippetOf } from "../../src/cli/serving/settings-entry.ts";

const LAUNCH = { command: "/path/to/deputy/bin/deputy", args: ["mcp"] };
const VARIABLES = ["ANTHROPIC_API_KEY", "OPENROUTER_API_KEY"];
/** Display names; these exact words mark tested configs of Deputy itself. */
const LANGUAGE = { json: "jsonc", toml: "toml", yaml: "yml" };

export function agentProgramSections(): string {
  return Object.entries(AGENT_PROGRAMS).map(sectionOf).join("\n\n");
}

function sectionOf([name, program]: [string, AgentProgram]): string {
  const { title, format, at, entry, userFile, projectFile, readsJsonc, note } = program;
  const project = projectFile === undefined ? "" : `; with \`--project\`, \`${projectFile}\``;
  const jsonc = readsJsonc ? " If only a file with the extension `.jsonc` is there, it writes to that." : "";
  const snippet = snippetOf(format, at, entry(LAUNCH, VARIABLES)).trimEnd();
  return [
    `## ${title}`,
    `\`deputy mcp install ${name}\` writes to \`${userFile({ HOME: "~" })}\`${project}.${jsonc}`,
    `\`\`\`${LANGUAGE[format]}\n${snippet}\n\`\`\``,
    ...(note === undefined ? [] : [note]),
  ].join("\n\n");
}
