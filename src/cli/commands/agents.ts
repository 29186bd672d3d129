/** `deputy agents`: the agent definitions available here, where each comes from, and the route it would use now. */
import { homedir } from "node:os";
import { relative } from "node:path";
import type { AgentDefinition } from "../../agent-definition.ts";
import { createSetups } from "../../engine/setup/setup.ts";
import type { Planned } from "../../plan.ts";
import type { Effort } from "../../route.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION } from "../command.ts";
import { createPaint, type Io, type Paint } from "../io.ts";
import { formatRoute } from "../terminal/format.ts";
import { fit, oneLine } from "../terminal/terminal-text.ts";
import { writeWarning } from "../terminal/warning.ts";
import { columnsOf, wrapFor } from "../terminal/word-wrap.ts";

/** Field names as in the JSON output. */
type AgentDocument = {
  name: string;
  description: string | null;
  source: string;
  /** Its current route; null if unavailable. */
  route: { provider: string; model: string; reasoning_effort: Effort | null } | null;
  problem: string | null;
  toolsets: string[] | null;
  /** Limits its toolsets to these tools; null: all of their tools. */
  tools: string[] | null;
  max_iterations: number | null;
  timeout_seconds: number | null;
  max_cost_usd: number | null;
  /** Its fields without effect, and overridden definitions. */
  notes: string[];
};

const HELP = `
A task names an agent in \`agent\` and gets its prompt, route, tools and limits. Definitions are searched in this order;
the first match wins:
  agents: in the config
  .claude/agents/*.md and .opencode/agent/*.md, from this directory up to the root of the repository
  the same two folders in your home, and agent/ in opencode's config folder
What a project defines comes last until you trust its config. A project's file can only choose among your routes and remove tools.`;

export const declareAgents: Declare = (command, { io }) => {
  command
    .description("List the agent definitions that a task can name here.")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy agents", "name, route, tools and source of each agent"],
        ["deputy agents --json", "all details as JSON"],
      ])}`,
    )
    .action((flags: { json?: true; config?: string }) => {
      const place = { env: io.env, cwd: io.cwd, ...(flags.config && { configPath: flags.config }) };
      const { routing, warnings } = createSetups(place)();
      const { definitions, warnings: unreadable } = routing.agents;
      const agents = definitions.map((agent) => {
        const [planned] = routing.plan({ tasks: [{ goal: "", agent: agent.name }] }, { cwd: io.cwd }).planned;
        return agentDocument(agent, planned);
      });
      const all = [...warnings, ...unreadable, ...definitions.flatMap((agent) => agent.warnings ?? [])];
      if (flags.json) io.stdout.write(jsonDocument({ agents, warnings: all }));
      else io.stdout.write(formatAgents(agents, io, createPaint(io.stdout, io.env)));
      for (const { message } of all) writeWarning(io, message);
    });
};

function agentDocument(agent: AgentDefinition, planned: Planned | undefined): AgentDocument {
  const ready = planned !== undefined && "route" in planned ? planned : undefined;
  const warnings = ready?.route.warnings.map(({ message }) => message) ?? [];
  return {
    name: agent.name,
    description: agent.description ?? null,
    source: agent.source,
    route: ready ? routeOf(ready.route) : null,
    problem: planned !== undefined && "problem" in planned ? planned.problem.message : null,
    toolsets: ready?.toolsets ?? agent.toolsets ?? null,
    tools: agent.tools ?? null,
    max_iterations: agent.max_iterations ?? null,
    timeout_seconds: agent.timeout_seconds ?? null,
    max_cost_usd: agent.max_cost_usd ?? null,
    notes: [...agent.notes, ...warnings],
  };
}

function routeOf({ provider, model, effort }: { provider: string; model: string; effort?: Effort }) {
  return { provider, model, reasoning_effort: effort ?? null };
}

function formatAgents(agents: AgentDocument[], io: Io, paint: Paint): string {
  if (agents.length === 0)
    return "There are none. Define one under agents: in the config, or as .claude/agents/NAME.md.\n";
  return agents.map((agent) => wrapFor(io.stdout, formatAgent(agent, io, paint), "    ")).join("");
}

/** Formats a definition: name and route, then its description (cut at a terminal), source and notes. */
function formatAgent(agent: AgentDocument, io: Io, paint: Paint): string {
  const { name, description, route, problem, toolsets, tools, source, notes } = agent;
  const runsOn = route === null ? [] : [formatRoute({ ...route, effort: route.reasoning_effort })];
  const facts = [...runsOn, toolsOf(toolsets, tools)].filter((fact) => fact !== "").map(oneLine);
  const lines = [
    ...(description === null ? [] : [fit(oneLine(description), columnsOf(io.stdout) - 2)]),
    ...(problem === null ? [] : [paint("red", `✗ ${oneLine(problem)}`)]),
    ...[oneLine(shortPath(source, io)), ...notes.map(oneLine)].map((line) => paint("dim", line)),
  ];
  return [[paint("bold", oneLine(name)), ...facts].join("  "), ...lines.map((line) => `  ${line}`), ""].join("\n");
}

/** Toolsets, or the tools if it has only some of theirs. */
function toolsOf(toolsets: string[] | null, tools: string[] | null): string {
  if (toolsets === null) return "";
  return (tools ?? toolsets).join(", ") || "no tools";
}

/** A path relative to the working directory or to the home directory. */
function shortPath(path: string, { cwd, env }: Io): string {
  const home = env.HOME || homedir();
  const fromHere = relative(cwd, path);
  if (!fromHere.startsWith("..")) return fromHere;
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
