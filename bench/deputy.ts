/**
 * The built Deputy, through its library, with its journal on disk. Argument: JSON of `DeputyOrder`; the environment
 * sets the config and the state directory.
 */
import { pathToFileURL } from "node:url";
import { measure } from "./measurement.ts";
import { goalOf, REQUESTS_PER_CHILD, TOOL_ROUNDS } from "./scenario.ts";

/** `library`: path of the built `index.js`. */
export type DeputyOrder = { library: string; children: number; model: string; workspace: string; warm: boolean };

const { library, children, model, workspace, warm }: DeputyOrder = JSON.parse(process.argv[2] ?? "");
const { createDeputy }: typeof import("../src/index.ts") = await import(pathToFileURL(library).href);
const deputy = createDeputy();

if (warm) await delegate(1);
await measure(() => delegate(children));
await deputy.close();

async function delegate(count: number): Promise<void> {
  const tasks = Array.from({ length: count }, (_, index) => ({ goal: goalOf(index), model }));
  const { results } = await deputy.delegate(tasks, { workspace, concurrency: count });
  for (const result of results) {
    const { status, api_calls: calls, tool_trace: trace } = result;
    if (status === "completed" && calls === REQUESTS_PER_CHILD && trace.length === TOOL_ROUNDS) continue;
    throw new Error(`A child did not do its work: ${JSON.stringify(result).slice(0, 1500)}`);
  }
}
