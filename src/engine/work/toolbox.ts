/** Decides which tools a child has. This is the only place that gives a child `delegate_task`. */
import type { Clock } from "../../clock.ts";
import type { Ready } from "../../plan.ts";
import type { Report } from "../../report.ts";
import { routeAt } from "../../result.ts";
import type { Route } from "../../route.ts";
import type { Bounds } from "../../routing/plan.ts";
import { isConversation, type Run } from "../../run/run.ts";
import { reportOf } from "../../run/run-report.ts";
import type { Skill } from "../../skill.ts";
import type { Call } from "../../task.ts";
import type { Tool } from "../../tool.ts";
import { createDelegate } from "../../tools/delegation/delegate.ts";
import { createListModels } from "../../tools/delegation/list-models.ts";
import { createReadSkill } from "../../tools/read-skill.ts";
import type { ChildSlot } from "../limits/child-slot.ts";
import type { Setup } from "../setup/setup.ts";
import { restOf } from "../start/nested-call.ts";
import type { Delegator, NestedDelegations } from "./nested-delegations.ts";

/** Tools and hints that a surface adds for the agent of a conversation. */
export type ChatExtras = {
  tools: readonly Tool[];
  /** Hint on how the agent reads the rest of a truncated answer. */
  restOf(childId: string, offset: number): string;
  /** Starts a call in a separate process, without waiting for it. @throws DeputyError if nothing can start */
  background(call: Call, from: BackgroundCaller): Promise<Report>;
};

/** The agent that starts a call in the background: its id, and what it passes on. */
type BackgroundCaller = {
  startedBy: string;
  parentRoute: Route;
  workspace: string;
  bounds: Bounds;
  /** Hosts that the user named to the agent. */
  hosts: readonly string[];
};

export type ToolboxDeps = {
  clock: Clock;
  setup: Setup;
  run: Run;
  nested: NestedDelegations;
  chatExtras: ChatExtras | undefined;
  skills: readonly Skill[];
};

/**
 * Returns the tools of a child. A conversation's model may not support tools.
 * @param ofServers the tools of its MCP servers
 */
export function toolsOf(
  deps: ToolboxDeps,
  delegator: Delegator,
  slot: ChildSlot,
  ofServers: readonly Tool[],
): readonly Tool[] {
  const { setup, run, chatExtras } = deps;
  const { planned } = delegator;
  if (planned.route.facts.tools === false) return [];
  const tools = [...ownTools(deps, planned), ...ofServers];
  if (!mayDelegate(deps, planned)) return tools;
  const listModels = createListModels({ listModels: setup.listModels });
  const added = isConversation(run) ? (chatExtras?.tools ?? []) : [];
  return [...tools, delegateTool(deps, delegator, slot), listModels, ...added];
}

/** The tools that a child has by its plan and its workspace alone: those of its toolsets, and of skills. */
export function ownTools({ setup, skills }: Pick<ToolboxDeps, "setup" | "skills">, planned: Ready): readonly Tool[] {
  const own = namedTools(setup, planned);
  if (!mayReadSkills(planned, own, skills)) return own;
  const read = (skill: Skill, file: string) => setup.readSkill(planned, skill, file);
  return [...own, createReadSkill({ skills, read })];
}

/** The tools of the child's toolsets, limited to those that its agent definition names. */
function namedTools(setup: Setup, planned: Ready): readonly Tool[] {
  const { toolsets, tools: named } = planned;
  const all = setup.tools(toolsets, planned);
  if (named === undefined) return all;
  const isNamed = (name: string) => named.includes(name);
  return all.filter(({ name, comesWith }) => isNamed(name) || comesWith?.every(isNamed));
}

/** Skills need a tool to follow them with. An agent definition that limits its tools has to name `read_skill`. */
function mayReadSkills({ tools: named }: Ready, own: readonly Tool[], skills: readonly Skill[]): boolean {
  return skills.length > 0 && own.length > 0 && (named === undefined || named.includes("read_skill"));
}

function mayDelegate({ run, setup }: ToolboxDeps, { role }: Ready): boolean {
  const delegates = role === "orchestrator" || isConversation(run);
  return delegates && run.depth < setup.config.delegation.max_spawn_depth;
}

function delegateTool(deps: ToolboxDeps, delegator: Delegator, slot: ChildSlot): Tool {
  const { clock, setup, run, nested, chatExtras } = deps;
  const { delegation } = setup.config;
  return createDelegate({
    available: setup.listModels(),
    maxTasks: delegation.max_tasks_per_call,
    maxConcurrent: delegation.max_concurrent_children,
    mayOrchestrate: run.depth + 1 < delegation.max_spawn_depth,
    maxSummaryChars: delegation.max_summary_chars,
    restOf: chatExtras?.restOf ?? restOf,
    supportsBackground: chatExtras !== undefined,
    async submit(call, context, { background }) {
      if (background && chatExtras !== undefined)
        return chatExtras.background(call, { ...backgroundFrom(delegator), hosts: context.hosts ?? [] });
      const running = nested.run(call, delegator, context);
      slot.release(); // The child does not need a slot while it waits.
      return reportOf({ run: await running, owner: "none" }, clock.now());
    },
  });
}

function backgroundFrom({ child, planned, budgets }: Delegator): Omit<BackgroundCaller, "hosts"> {
  const { toolsets, workspace, realPaths = {}, enclosing = [] } = planned;
  const isBudgeted = budgets.some(({ limitUsd }) => limitUsd !== undefined);
  return {
    startedBy: child.tally.childId,
    parentRoute: routeAt(planned, child.tally.position),
    workspace,
    bounds: { toolsets, realPaths, enclosing, isBudgeted },
  };
}
