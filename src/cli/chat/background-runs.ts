/**
 * Tools with which the agent of a chat starts runs in separate processes and manages them: the tools that MCP clients
 * get, with the chat as the client. Background work outlives the chat.
 */
import { createDelegations } from "../../engine/control/delegations.ts";
import { waitForNews } from "../../engine/control/wait.ts";
import type { ChatExtras, RunFilter } from "../../engine/engine.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { DeputyError } from "../../errors.ts";
import { childIdOf } from "../../run/run.ts";
import { reportOf } from "../../run/run-report.ts";
import { createCheckDelegation, restOf } from "../../tools/delegation/check-delegation.ts";
import { createControlDelegation } from "../../tools/delegation/control-delegation.ts";
import type { Io } from "../io.ts";
import { startDetached } from "../start-detached.ts";

/** Longest wait of one `check_delegation`, in seconds: the user is waiting. */
const WAIT_SECONDS = 60;

/** @param onStarted called with each run that was started in the background */
export function createChatExtras(
  { engine, loadConfig, routing }: Opened,
  io: Io,
  configPath: string | undefined,
  onStarted: (runId: string) => void = () => {},
): ChatExtras {
  const { clock, env, cwd } = io;
  const { delegation } = loadConfig().config;
  const begin = (runId: string) => startDetached(runId, { env, cwd, routing, configPath });

  const client = { name: "the chat's agent", surface: "chat", told: new Set<string>() };
  const as = (signal: AbortSignal) =>
    createDelegations({
      engine,
      clock,
      client,
      signal,
      wait: (id, ms, until) => waitForNews(engine, id, { ms, clock, until }, signal),
      maxSummaryChars: delegation.max_summary_chars,
    });
  const unhurried = () => as(new AbortController().signal);

  const check = createCheckDelegation({
    isChild: (id) => unhurried().isChild(id),
    newest: () => unhurried().newest(),
    report: (id, seconds, signal) => as(signal).report(id, seconds),
    answer: (id, offset, seconds, signal) => as(signal).answer(id, offset, seconds),
    maxWaitSeconds: WAIT_SECONDS,
  });
  const control = createControlDelegation({
    stop: (id, signal) => as(signal).stop(id),
    steer: (id, message, signal) => as(signal).steer(id, message),
    answer: (id, callId, allowed, reason) => unhurried().settle(id, callId, allowed, reason),
    mayApprove: delegation.approvals_by_model,
  });

  return {
    tools: [check, control],
    restOf,
    async background(call, from) {
      if (from.bounds.isBudgeted) throw new DeputyError("usage", BUDGETED);
      const options = { surface: "cli" as const, askedBy: "model" as const, answersFromElsewhere: true };
      const id = await engine.enqueue(call, { ...options, ...from });
      try {
        await begin(id);
      } catch (error) {
        await engine.stop(id, "it could not start");
        throw error;
      }
      onStarted(id);
      const next = `It continues in the background, even after this conversation. To check it, call check_delegation with {"id": "${id}"}.`;
      return { ...reportOf(await engine.run(id), clock.now()), next };
    },
  };
}

/** Selects the background runs of a conversation. */
export function isStartedBy(conversationId: string): RunFilter {
  const agent = childIdOf(conversationId, 0);
  return ({ startedBy }) => startedBy === agent;
}

const BUDGETED = "This conversation has a cost limit, which cannot cover background runs: omit `background`.";
