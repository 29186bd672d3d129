/**
 * Deputy as it is built, by its library, its journal on disk. Argument: JSON of `DeputyOrder`; the config and the state
 * directory are told by the environment.
 */
import { measure } from "./measurement.ts";
import { goalOf, REQUESTS_PER_CHILD, TOOL_ROUNDS } from "./scenario.ts";

export type DeputyOrder = { children: number; model: string; workspace: string };

const { children, model, workspace }: DeputyOrder = JSON.parse(process.argv[2] ?? "");
const built = new URL("../dist/index.js", import.meta.url).href;
const { createDeputy }: typeof import("../src/index.ts") = await import(built);
const deputy = createDeputy();

await measure(async () => {
  const tasks = Array.from({ length: children }, (_, index) => ({ goal: goalOf(index), model }));
  const { results } = await deputy.delegate(tasks, { workspace, concurrency: children });
  for (const result of results) {
    const { status, api_calls: calls, tool_trace: trace } = result;
    if (status === "completed" && calls === REQUESTS_PER_CHILD && trace.length === TOOL_ROUNDS) continue;
    throw new Error(`A child did not do its work: ${JSON.stringify(result).slice(0, 1500)}`);
  }
});
await deputy.close();
