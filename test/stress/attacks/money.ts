/**
 * A provider lies about usage, and requests are in flight at a kill or a stop. Its own account shows what was spent.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { DelegationResult } from "../../../src/result.ts";
import type { ModelRequest, Turn } from "../../../src/testing/index.ts";
import { stepOf } from "../../support/end-to-end.ts";
import { findOverspending } from "./detectors.ts";
import type { Round } from "./round.ts";

/** USD for one token of an answer. */
const PRICE = 10 / 1_000_000;
const MAX_OUTPUT_TOKENS = 2_000;
const LIES = [-1, -1_000_000_000, 1e308, -1e308, 1e15, MAX_OUTPUT_TOKENS * 1_000];
const HONEST = { input: 100, output: 50 };

export async function attackBudget(round: Round): Promise<void> {
  const { draw, server } = round;
  const limitUsd = draw.pick([0.05, 0.1, 0.25, 5]);
  round.configure({
    providers: { lab: { ...pricedLab(round) } },
    delegation: { max_cost_usd: limitUsd, max_concurrent_children: draw.whole(1, 4) },
  });
  const [tasks, steps] = [draw.whole(1, 4), draw.whole(1, 5)];
  const lieShare = draw.pick([0, 0.3, 1]);
  const charges = new Map<ModelRequest, number>();
  let hanging = draw.chance(0.5);
  round.answerWith((request) => {
    const isLie = draw.chance(lieShare);
    // A provider that lies, or breaks off, charges the maximum allowed.
    charges.set(request, (isLie || hanging ? (request.maxTokens ?? 1e6) : HONEST.output) * PRICE);
    if (hanging && stepOf(request) >= Math.min(steps, 2)) return { latencyMs: 60_000 };
    charges.set(request, (isLie ? (request.maxTokens ?? 1e6) : HONEST.output) * PRICE);
    return answer(stepOf(request) < steps, isLie ? lie(round) : HONEST);
  });
  const orders = Array.from({ length: tasks }, (_, index) => ({ goal: `Order ${index}` }));
  const run = round.launch(["run", round.tasks(orders), "--json"]);
  let last = run;
  if (hanging) {
    await Promise.race([round.until(() => round.requests.length >= tasks * Math.min(steps, 2), run), sleep(2_000)]);
    await sleep(draw.whole(0, 200));
    if (draw.chance(0.5)) run.kill();
    else run.askToEnd(draw.pick(["SIGTERM", "SIGINT"]));
    await run.ended;
    hanging = false;
    const id = await round.runId();
    if (id === undefined) return;
    await round.checkpoint();
    last = round.launch(["resume", id, "--json"]);
  }
  const { stdout } = await last.ended;
  const chargedUsd = [...charges.values()].reduce((sum, usd) => sum + usd, 0);
  const result = stdout.startsWith("{") ? (JSON.parse(stdout) as DelegationResult) : undefined;
  const reported = result === undefined ? {} : { reportedUsd: result.total_cost_usd ?? 0 };
  for (const breach of findOverspending({ limitUsd, chargedUsd, ...reported })) round.breach(breach);
  const worstUsd = server.count * MAX_OUTPUT_TOKENS * PRICE;
  if (worstUsd * 4 > limitUsd) return;
  for (const { status, child_id } of result?.results ?? []) {
    if (status !== "completed") round.breach({ kind: "budget", words: `${child_id} is ${status} with money left` });
  }
}

function answer(isMore: boolean, usage: Turn["usage"] & object): Turn {
  if (!isMore) return { text: "Done.", usage };
  return { text: "I look.", toolCalls: [{ name: "list_dir", input: {} }], usage };
}

function lie({ draw }: Round): Turn["usage"] & object {
  const output = draw.pick(LIES);
  return {
    ...HONEST,
    output,
    ...(draw.chance(0.3) && { input: draw.pick(LIES) }),
    ...(draw.chance(0.2) && { cached: -5 }),
  };
}

function pricedLab({ place, server }: Round) {
  return {
    base_url: server.baseUrl("chat_completions"),
    api_mode: "chat_completions",
    api_key: `\${${place.key.variable}}`,
    models: { m1: { price: { input: 1, output: PRICE * 1_000_000 }, max_output_tokens: MAX_OUTPUT_TOKENS } },
  };
}
