/** The tools of MCP servers that a child leases. */
import type { Warning } from "../../errors.ts";
import type { Ready } from "../../plan.ts";
import type { PinnedTool, Tool } from "../../tool.ts";

/** The part of a plan that decides which tools of servers a child has. */
export type ServerToolsPlan = Pick<Ready, "toolsets" | "tools" | "workspace" | "realPaths">;

export type ServerTools = {
  tools: readonly Tool[];
  /** The tools that a new child is offered. */
  pinned: readonly PinnedTool[];
  /** Servers that could not be started, and tools that are left out. */
  warnings: Warning[];
  /** Call when the child has ended. */
  release(): Promise<void>;
};

/** @param pinned the tools that the child was offered when it started, if it has */
export type LeaseServerTools = (
  plan: ServerToolsPlan,
  pinned: readonly PinnedTool[] | undefined,
  signal: AbortSignal,
) => Promise<ServerTools>;

export const NO_SERVER_TOOLS: ServerTools = { tools: [], pinned: [], warnings: [], release: async () => {} };
