/**
 * What the agent of a chat can leave to a process of its own, and how it looks after that: the tools that MCP clients are
 * offered for the same, with the chat as the client. Work in the background outlives the chat.
 */
import type { ChatExtras } from "../../engine/engine.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { DeputyError } from "../../errors.ts";
import type { ClientSession } from "../../mcp/client-session.ts";
import { reportOf } from "../../run/run-report.ts";
import type { Tool } from "../../tool.ts";
import { createCheckDelegation, restOf } from "../../tools/delegation/check-delegation.ts";
import { createControlDelegation } from "../../tools/delegation/control-delegation.ts";
import type { Io } from "../io.ts";
import { startDetached } from "../start-detached.ts";

/** Longest wait of one `check_delegation`, in seconds: a person sits there. */
const WAIT_SECONDS = 60;

export function createChatExtras({ engine, loadConfig }: Opened, io: Io, configPath: string | undefined): ChatExtras {
  const { clock, env, cwd } = io;
  const { delegation } = loadConfig().config;
  const begin = (runId: string) => startDetached(runId, { env, cwd, configPath });

  /** It remembers what the agent has been told of. */
  let client: ClientSession | undefined;

  /** Loaded with the first use: a chat that leaves nothing behind needs none of it. */
  async function as(signal: AbortSignal) {
    const { createDelegations } = await import("../../mcp/delegations.ts");
    const { createClientSession } = await import("../../mcp/client-session.ts");
    const deps = {
      engine,
      clock,
      workspace: { path: cwd, isNamed: true },
      startDetached: begin,
      maxSummaryChars: delegation.max_summary_chars,
      returnAfterMs: WAIT_SECONDS * 1000,
    };
    client ??= createClientSession("the chat's agent", "chat");
    return createDelegations(deps, { client, signal, startedAt: clock.elapsed(), roots });
  }
  const roots = async () => [];
  const unhurried = () => as(new AbortController().signal);

  const check = createCheckDelegation({
    isChild: (id) => id.split(".").length % 2 === 0,
    newest: async () => (await unhurried()).newest(),
    report: async (id, seconds, signal) => (await as(signal)).report(id, seconds),
    answer: async (id, offset, seconds, signal) => (await as(signal)).answer(id, offset, seconds),
    maxWaitSeconds: WAIT_SECONDS,
  });
  const control = createControlDelegation({
    stop: async (id, signal) => (await as(signal)).stop(id),
    steer: async (id, message, signal) => (await as(signal)).steer(id, message),
    answer: async (id, callId, allowed, reason) => (await unhurried()).settle(id, callId, allowed, reason),
    mayApprove: delegation.approvals_by_model,
  });

  return {
    tools: [check, control] as Tool[],
    restOf,
    async background(call, from) {
      if (from.bounds.isBudgeted) throw new DeputyError("usage", BUDGETED);
      const options = { surface: "cli" as const, askedBy: "model" as const, answersFromElsewhere: true };
      const id = await engine.enqueue(call, { ...options, ...from });
      try {
        await begin(id);
      } catch (error) {
        await engine.stop(id, "it could not begin");
        throw error;
      }
      const next = `It goes on by itself, also after this conversation: check_delegation with {"id": "${id}"}.`;
      return { ...reportOf(engine.run(id), clock.now()), next };
    },
  };
}

const BUDGETED =
  "This conversation has a limit on what it may cost, which holds for what runs in it: leave `background` out.";
