/**
 * The runs that a client's model sees and steers: those begun over MCP in the same workspace by a client of that name, in
 * any session. A run of another terminal may have tools and permissions that this client was never given. Every other id
 * is answered like one that does not exist.
 */
import type { ManagedRuns } from "../../engine/control/delegations.ts";
import type { Engine, RunFilter } from "../../engine/engine.ts";
import type { McpClientFacts } from "../../event.ts";

export function seenRuns(engine: Engine, client: () => Promise<McpClientFacts>): ManagedRuns {
  async function own(): Promise<RunFilter> {
    const { name, workspace } = await client();
    return (start) => start.client?.name === name && start.client.workspace === workspace;
  }
  const whole = async (id: string) => engine.wholeId(id, await own());
  const { refresh, follow, settleSteer } = engine; // Their arguments were found here.
  return {
    refresh,
    follow,
    settleSteer,
    runs: async (newest) => engine.runs(newest, await own()),
    run: async (id) => engine.run(await whole(id)),
    async *events(id) {
      yield* engine.events(await whole(id));
    },
    stop: async (id, by) => engine.stop(await whole(id), by),
    steer: async (id, ...message) => engine.steer(await whole(id), ...message),
    question: async (which) => engine.question({ ...which, id: await whole(which.id) }),
    answer: async (answer) => engine.answer({ ...answer, id: await whole(answer.id) }),
  };
}
