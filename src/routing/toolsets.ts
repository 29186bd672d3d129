/** The toolsets and tools of a task's child: what it asks for, within what its agent and its caller may have. */
import type { AgentDefinition } from "../agent-definition.ts";
import { type Config, TOOLSETS } from "../config-schema.ts";
import type { Problem, Warning } from "../errors.ts";
import { ALL_SERVERS, serverToolset } from "../mcp-names.ts";
import type { Route } from "../route.ts";
import type { Call, Task } from "../task.ts";
import { suggest } from "../text/did-you-mean.ts";
import { matchesStars } from "../text/star-pattern.ts";
import { present } from "../values/present.ts";

export type KnownToolsets = {
  /** Every toolset that exists here. */
  known: readonly string[];
  /** Replaces `mcp:*` by the toolset of each server. */
  named(written: readonly string[]): string[];
};

export function knownToolsets({ mcp_servers: servers }: Config): KnownToolsets {
  const ofServers = Object.keys(servers).map(serverToolset);
  return {
    known: [...TOOLSETS, ...ofServers],
    named: (written) => written.flatMap((name) => (name === ALL_SERVERS ? ofServers : [name])),
  };
}

type Wanted = {
  /** Explicitly requested toolsets, if any. */
  named?: readonly string[];
  /** Those, or what the agent and all children have; never more than the agent may have. */
  toolsets: readonly string[];
  warnings: Warning[];
};

type Offer = Pick<KnownToolsets, "named"> & { allowed: readonly string[]; agent: AgentDefinition | undefined };

export function toolsetsWanted(task: Task, call: Call, { allowed, agent, named: inFull }: Offer): Wanted {
  const written = task.toolsets ?? call.toolsets;
  const named = written && inFull(written);
  const ofAgent = agent?.toolsets && inFull(agent.toolsets);
  if (agent === undefined || ofAgent === undefined)
    return { ...present({ named }), toolsets: named ?? allowed, warnings: [] };
  const asked = named ?? ofAgent;
  const most = named === undefined ? allowed : ofAgent;
  // The agents of other programs have such a list as a matter of course: files with all of their tools name it too.
  const isTacit = (name: string) => name === "todo" && named === undefined && agent.tools !== undefined;
  const withheld = asked.filter((name) => !most.includes(name) && !isTacit(name));
  const message =
    named === undefined
      ? `The agent ${agent.name} requests ${withheld.join(", ")}, which delegation.toolsets does not give to children.`
      : `The agent ${agent.name} has ${ofAgent.join(", ") || "no toolsets"}: ${withheld.join(", ")} is not given to it.`;
  return {
    ...present({ named }),
    toolsets: asked.filter((name) => most.includes(name)),
    warnings: withheld.length === 0 ? [] : [{ code: "toolset-withheld", message }],
  };
}

type Toolsets = { toolsets: string[] } | { problem: Problem };

/** A subset of the toolsets that the config gives to children; empty if the model cannot call tools. */
export function toolsetsOf(
  { named, toolsets: wanted }: Wanted,
  { allowed, known }: Pick<KnownToolsets, "known"> & { allowed: readonly string[] },
  route: Route,
): Toolsets {
  const usable = allowed.filter((name) => known.includes(name));
  const refused = (named ?? wanted).find((name) => !usable.includes(name));
  if (refused === undefined) {
    if (route.facts.tools !== false) return { toolsets: [...new Set(wanted)] };
    return named === undefined || named.length === 0 ? { toolsets: [] } : { problem: noTools(route, named) };
  }
  const exists = known.includes(refused);
  // The operator may have allowed a server that does not exist.
  const possible = allowed.includes(refused) ? known : usable;
  const suggestions = exists ? usable : suggest(refused, possible);
  const hint = suggestions.length > 0 && !exists ? ` Did you mean ${suggestions.join(" or ")}?` : "";
  const reason = exists ? ", which delegation.toolsets does not give to children" : "";
  return {
    problem: {
      code: "toolset-unavailable",
      field: "toolsets",
      message: `Expected toolsets out of ${possible.join(", ") || "none"}; found ${refused}${reason}.${hint}`,
      suggestions,
    },
  };
}

function noTools({ model, provider }: Route, named: readonly string[]): Problem {
  return {
    code: "toolset-unavailable",
    field: "toolsets",
    message:
      `Expected a model that can call tools, because toolsets are named (${named.join(", ")}); found ${model} @ ` +
      `${provider}, which cannot. Choose another model, or write toolsets: [].`,
    suggestions: [],
  };
}

/** The problem of a child that would get a terminal where the operator allows none. */
export function withoutTerminal(
  toolsets: readonly string[],
  { terminalProblem }: { terminalProblem(): string | undefined },
): Problem | undefined {
  const reason = toolsets.includes("terminal") ? terminalProblem() : undefined;
  if (reason === undefined) return undefined;
  const message = `Expected a sandbox for commands (terminal.sandbox: required); found none: ${reason} Or name toolsets without terminal.`;
  return { code: "toolset-unavailable", field: "toolsets", message, suggestions: [] };
}

/** Tools that both the delegator and the agent have, by name or pattern; absent if neither is limited. */
export function toolsLeft(above?: readonly string[], ofAgent?: readonly string[]): { tools?: string[] } {
  if (above === undefined || ofAgent === undefined) {
    const only = above ?? ofAgent;
    return only === undefined ? {} : { tools: [...only] };
  }
  const covered = (names: readonly string[], by: readonly string[]) =>
    names.filter((name) => by.some((pattern) => matchesStars(pattern, name)));
  return { tools: [...new Set([...covered(ofAgent, above), ...covered(above, ofAgent)])] };
}
