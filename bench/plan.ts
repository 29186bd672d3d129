/**
 * `npm run bench:plan`: the CPU time to plan a batch of 1,000 tasks after start, and tasks per second. The tasks differ
 * in model, provider, effort and tags; each measurement plans with a new router, as every delegation does.
 */
import { configSchema } from "../src/config-schema.ts";
import { createRouting } from "../src/routing/routing.ts";
import { type Call, parseCall } from "../src/task.ts";
import { median } from "./goals.ts";

const TASKS = 1000;
const REPEATS = 15;
const GOAL_MS = 50;

const config = configSchema.parse({
  model: "glm-5.3",
  provider: "zai",
  models: { small: "glm-5.3-flash", large: "claude-opus-5-5 --provider anthropic --effort high" },
  rules: [{ when: { tag: "explore" }, use: "small" }],
  delegation: { fallbacks: ["claude-sonnet-5 --provider anthropic"] },
});
const env = { GLM_API_KEY: "a-key-1", ANTHROPIC_API_KEY: "a-key-2", OPENROUTER_API_KEY: "a-key-3" };

const WISHES: readonly object[] = [
  {},
  { model: "large" },
  { tags: ["explore"] },
  { model: "GLM 4.7" },
  { provider: "openrouter", model: "stepfun/step-3.5-flash" },
  { model: "sonnet", provider: "anthropic" },
  { model: "claude-opus-5 --provider anthropic", reasoning_effort: "low" },
];

/** CPU in milliseconds. */
function cpuOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function batch(isDistinct: boolean): Call {
  const tasks = Array.from({ length: TASKS }, (_, index) => ({
    goal: `task ${index}`,
    ...(isDistinct ? { model: `glm-9.${index}` } : WISHES[index % WISHES.length]),
  }));
  return parseCall(tasks, TASKS);
}

let isSlow = false;
for (const [name, isDistinct] of [
  ["seven kinds of wish", false],
  ["a model of its own each", true],
] as const) {
  const call = batch(isDistinct);
  const routing = createRouting({ config, env });
  const plan = () => {
    const { planned } = routing.plan(call, { cwd: process.cwd(), askedBy: "model" });
    const ready = planned.filter((entry) => "route" in entry).length;
    if (ready !== TASKS) throw new Error(`Expected ${TASKS} routes; found ${ready}.`);
  };
  const first = cpuOf(plan);
  const ms = median(Array.from({ length: REPEATS }, () => cpuOf(plan)));
  isSlow ||= ms > GOAL_MS;
  const rate = Math.round((TASKS / ms) * 1000).toLocaleString("en");
  console.log(
    `${TASKS} tasks, ${name}: ${ms.toFixed(1)} ms of CPU (first ${first.toFixed(1)}), ${rate} tasks per second`,
  );
}
console.log(`Goal: at most ${GOAL_MS} ms.`);
if (isSlow) process.exitCode = 1;
