/**
 * Deputy as an MCP server: one `Server` per connection (per request, if the protocol has no connections). Everything it
 * offers is built anew for each request, so that it shows the current config, keys and runs.
 */
import {
  type CallToolResult,
  type Implementation,
  type InputRequiredResult,
  Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import type { ManagedRuns } from "../engine/control/delegations.ts";
import { DeputyError, internalErrorText } from "../errors.ts";
import { suggest } from "../text/did-you-mean.ts";
import type { Tool } from "../tool.ts";
import { type ClientSession, createClientSession } from "./client/client-session.ts";
import { realPathOf, workspaceAmong } from "./client/client-workspace.ts";
import { createFormSeal } from "./client/form-seal.ts";
import { askRoots, clientName, createRequestContext } from "./client/request-context.ts";
import { InputRequired } from "./runs/follow-run.ts";
import { registerResources } from "./runs/resources.ts";
import { seenRuns } from "./runs/seen-runs.ts";
import { callTool, refused, shownTool } from "./tool-adapter.ts";
import { createMcpTools, TOOL_ANNOTATIONS, type ToolsDeps } from "./tools.ts";

export type McpServerDeps = ToolsDeps & { version: string };

/** Creates servers that share their client sessions. `connection` identifies a client that keeps one. */
export type CreateMcpServer = (connection?: object) => Server;

/** The SDK's own schema copies the arguments and loses a field named `__proto__`. These are the arguments as sent. */
const CALL_PARAMS = z.object({ name: z.string(), arguments: z.unknown().optional() });

const INSTRUCTIONS =
  "Deputy runs tasks in parallel as child agents, each on its own model, provider and effort. delegate_task starts them, " +
  "list_models lists what they can run on, check_delegation fetches results that were not ready in time, and " +
  "control_delegation stops or steers children. Full answers and transcripts are resources: deputy://runs/ID.";

export function createMcpServers(deps: McpServerDeps): CreateMcpServer {
  const ofConnections = new WeakMap<object, ClientSession>();
  const byName = new Map<string, ClientSession>();
  const seal = createFormSeal(deps.clock);

  return (connection) => {
    const about: Implementation = { name: "deputy", title: "Deputy", version: deps.version };
    const server = new Server(about, {
      capabilities: { tools: {}, resources: {}, completions: {} },
      instructions: INSTRUCTIONS,
    });

    /** The session of the client, identified by its connection or else by its name. */
    function callerOf(context: ServerContext): ClientSession {
      const name = clientName(server, context);
      const known = connection === undefined ? byName.get(name) : ofConnections.get(connection);
      if (known !== undefined) return known;
      const made = createClientSession(name);
      if (connection === undefined) byName.set(name, made);
      else ofConnections.set(connection, made);
      return made;
    }

    /** The runs that the client's model sees; its folders were asked for once, or again by its last delegation. */
    function seenIn(context: ServerContext): ManagedRuns {
      const { engine } = deps.deputy;
      if (deps.deputy.loadConfig().config.mcp.share === "all") return engine;
      return seenRuns(engine, async () => {
        const caller = callerOf(context);
        caller.roots ??= askRoots(server, context);
        return { name: caller.name, workspace: realPathOf(workspaceAmong(deps.workspace, await caller.roots)) };
      });
    }

    async function call(
      name: string,
      written: unknown,
      context: ServerContext,
    ): Promise<CallToolResult | InputRequiredResult> {
      try {
        const caller = callerOf(context);
        const request = createRequestContext(context, { server, caller, clock: deps.clock, seal });
        const tools = createMcpTools(deps, { context: request, seen: seenIn(context) });
        const tool = tools.find((each) => each.name === name);
        if (tool === undefined) return refused(unknownTool(name, tools));
        return await callTool(tool, written, { childId: "", signal: context.mcpReq.signal });
      } catch (error) {
        if (error instanceof InputRequired) return error.result;
        if (error instanceof DeputyError) return refused(error.message);
        deps.deputy.logError(name, error);
        return refused(internalErrorText(error, deps.deputy.routing().credentials.redact));
      }
    }

    server.setRequestHandler("tools/list", () => ({
      tools: createMcpTools(deps, undefined).map((tool) => shownTool(tool, TOOL_ANNOTATIONS[tool.name])),
    }));
    server.setRequestHandler("tools/call", { params: CALL_PARAMS }, (params, context) =>
      call(params.name, params.arguments, context),
    );
    server.setNotificationHandler("notifications/roots/list_changed", () => {
      if (connection !== undefined) delete ofConnections.get(connection)?.roots;
    });
    registerResources(server, { seenIn, clock: deps.clock });
    return server;
  };
}

function unknownTool(name: string, tools: readonly Tool[]): string {
  const known = tools.map((tool) => tool.name);
  const [close] = suggest(name, known, 1);
  return `There is no tool ${name}. ${close ? `Did you mean ${close}?` : `Tools: ${known.join(", ")}.`}`;
}
