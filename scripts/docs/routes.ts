/** Routing examples, planned by the router itself. */
import { configSchema } from "../../src/config-schema.ts";
import type { Wish } from "../../src/route.ts";
import { createRouting } from "../../src/routing/routing.ts";
import { type CallInput, parseCall } from "../../src/task.ts";
import { code, markdownTable } from "./table.ts";

const KEYS = { ZAI_API_KEY: "a-key", OPENROUTER_API_KEY: "a-key", OPENAI_API_KEY: "a-key", ANTHROPIC_API_KEY: "a-key" };

type Document = Record<string, unknown>;

/** The first task's route and who chose it, or the problem. */
function routed(config: Document, call: CallInput, parent: Wish = {}): { runsOn: string; chosenBy: string } {
  const routing = createRouting({ config: configSchema.parse(config), env: KEYS });
  const [planned] = routing.plan(parseCall(call, 10), { parent, cwd: "." }).planned;
  if (planned === undefined) throw new Error("a call without a task");
  if ("problem" in planned) return { runsOn: planned.problem.message, chosenBy: "" };
  const { model, provider, effort, chosenBy } = planned.route;
  const by = effort === undefined ? "" : `, effort: ${chosenBy.effort}`;
  return {
    runsOn: code(`${model} @ ${provider}`) + (effort === undefined ? "" : `, effort ${effort}`),
    chosenBy: `model: ${chosenBy.model}, provider: ${chosenBy.provider}${by}`,
  };
}

const STRINGS: Document[] = [
  { model: "glm-4.7" },
  { model: "claude-sonnet-5 --provider anthropic" },
  { model: "claude-sonnet-5 --provider anthropic --effort high" },
  { model: "stepfun/step-3.5-flash", provider: "openrouter" },
  { model: { model: "gpt-6-sol", provider: "openai" } },
  { model: "openai/gpt-6-sol" },
  { provider: "openai" },
  { model: "small" },
  { model: "glm-4.7:thinking" },
  { model: "inherit" },
  { model: "openrouter:stepfun/step-3.5-flash" },
  { model: "gpt-6-sol" },
  { model: "gpt-6-sol --provider openai", provider: "zai" },
  { model: "claude-opus-5-5 --provider anthropic --effort none" },
];

/** Model strings in a task and their routes, with the config that the page shows. */
export function modelStringExamples(): string {
  const config = { model: "glm-5.3", provider: "zai", models: { small: "glm-5.3-flash --provider zai" } };
  return markdownTable(
    ["task", "route or message"],
    STRINGS.map((task) => [shown(task), routed(config, { goal: "…", ...task }).runsOn]),
  );
}

type Levels = { config?: Document; flags?: Wish; delegation?: Document; call?: Document; task?: Document };

const LEVELS: Levels[] = [
  { config: { model: "glm-5.3", provider: "zai" } },
  { config: { model: "glm-5.3", provider: "zai" }, task: { model: "glm-4.7" } },
  { config: { model: "glm-5.3", provider: "zai" }, task: { provider: "openai" } },
  { config: { model: "glm-5.3", provider: "zai" }, flags: { model: "glm-4.7" } },
  { flags: { model: "glm-4.7", provider: "zai" }, delegation: { model: "glm-5.3" } },
  { delegation: { provider: "anthropic" }, task: { model: "claude-opus-5-5" } },
  {
    call: { model: "claude-opus-5-5", provider: "anthropic", reasoning_effort: "high" },
    task: { provider: "openai" },
  },
  { config: { model: "glm-5.3", provider: "zai" }, call: { model: "gpt-6-sol --provider openai" }, task: {} },
];

/** Requests at several levels, and the resulting route. */
export function precedenceExamples(): string {
  return markdownTable(
    ["settings", "route", "chosen by"],
    LEVELS.map(({ config = {}, flags = {}, delegation, call = {}, task = {} }) => {
      const document = { ...config, ...(delegation && { delegation }) };
      const { runsOn, chosenBy } = routed(document, { ...call, tasks: [{ goal: "…", ...task }] }, flags);
      const levels = Object.entries({ config, flags, delegation: delegation ?? {}, call, task });
      const said = levels.filter(([, wish]) => Object.keys(wish).length > 0);
      return [said.map(([level, wish]) => `${level} ${shown(wish)}`).join("<br>"), runsOn, chosenBy];
    }),
  );
}

function shown(fields: Document): string {
  return code(asYaml(fields));
}

function asYaml(fields: Document): string {
  const pairs = Object.entries(fields).map(([name, value]) => {
    const isMap = typeof value === "object" && value !== null;
    return `${name}: ${isMap ? `{ ${asYaml(value as Document)} }` : value}`;
  });
  return pairs.join(", ");
}
