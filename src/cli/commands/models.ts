/** `deputy models`: the models available now, according to config, keys and catalog. */

import type { AvailableAlias, AvailableModel } from "../../available-models.ts";
import { listAvailableModels } from "../../engine/setup/list-available.ts";
import { createSetups, type SetupPlace } from "../../engine/setup/setup.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { CONFIG_OPTION, type Context, type Declare, examples, JSON_OPTION } from "../command.ts";
import { EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { createPaint, type Paint } from "../io.ts";
import { formatCount, formatRoute, plural } from "../terminal/format.ts";
import { formatPrice } from "../terminal/plan-table.ts";
import { formatTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { writeWarning } from "../terminal/warning.ts";
import { columnsOf, wrapFor } from "../terminal/word-wrap.ts";

type ModelsFlags = { provider?: string; all?: true; refresh?: true; json?: true; config?: string };

export const declareModels: Declare = (command, context) => {
  const { io } = context;
  command
    .description("List the models you can use now: models of providers with a key, and your aliases.")
    .argument("[part]", "only models whose name contains this")
    .option("-p, --provider <slug>", "only models of this provider")
    .option("--all", "include providers without a key")
    .option("--refresh", "first fetch and store the model list of each provider with a key")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Each provider's newest models come first. You can also use models that are not listed. The exit code is 1 if no
model matches. Nothing is fetched without --refresh. Fetched lists are stored and used
from then on.
${examples([
  ["deputy models", "all models you have a key for"],
  ["deputy models glm", "models with glm in their name"],
  ["deputy models --provider openrouter --json", "one provider's models as JSON"],
  ["deputy models --refresh", "fetch the current lists first"],
])}`,
    )
    .action(async (part: string | undefined, flags: ModelsFlags) => {
      const place = { env: io.env, cwd: io.cwd, ...(flags.config && { configPath: flags.config }) };
      if (flags.refresh) await refresh(place, flags, context);
      const { routing, config, warnings } = createSetups(place)();
      const { provider, all } = flags;
      const { aliases, models } = listAvailableModels(
        { routing, config, cwd: io.cwd },
        { match: part, provider, all },
        "operator",
      );
      if (flags.json) io.stdout.write(jsonDocument({ aliases, models }));
      else {
        const text = formatModels(models, aliases, createPaint(io.stdout, io.env), columnsOf(io.stdout));
        io.stdout.write(wrapFor(io.stdout, text, ""));
      }
      if (models.length === 0 && (part ?? provider) !== undefined) context.exitWith(EXIT_NOT_COMPLETED);
      for (const { message } of warnings) writeWarning(io, message);
    });
};

/** Prints one line per provider; exit code 1 if one did not respond. */
async function refresh(place: SetupPlace, { provider: only }: ModelsFlags, { io, exitWith }: Context): Promise<void> {
  const { refreshLists } = await import("../../engine/setup/provider-lists.ts");
  const paint = createPaint(io.stderr, io.env);
  const say = (line: string) => io.stderr.write(`${wrapFor(io.stderr, line)}\n`);
  const answers = await refreshLists(place, io.clock, only);
  for (const answer of answers) {
    const { provider } = answer;
    if ("models" in answer)
      say(`${paint("green", "✓")} ${provider} lists ${plural(Object.keys(answer.models).length, "model")}`);
    else if ("failure" in answer) say(`${paint("red", "✗")} ${oneLine(answer.failure.message)}`);
    else say(`${paint("yellow", "!")} ${provider} has no list of models: name them in the config`);
  }
  if (answers.some((answer) => "failure" in answer)) exitWith(EXIT_NOT_COMPLETED);
}

const MODEL_COLUMNS = [
  "MODEL",
  "PROVIDER",
  "USD PER M TOKENS",
  "CONTEXT",
  { title: "TAKES", isOptional: true },
  { title: "KEY", least: 12, usual: 40 },
  { title: "EFFORT", isOptional: true },
] as const;

/** @param columns width of the terminal */
export function formatModels(
  models: AvailableModel[],
  aliases: AvailableAlias[],
  paint: Paint,
  columns?: number,
): string {
  const rows = models.map((document) => [
    `${oneLine(document.model)}${document.default ? " *" : ""}`,
    document.provider,
    formatPrice(document.price_usd_per_million_tokens ?? undefined),
    document.context_window === null ? "unknown" : formatCount(document.context_window),
    abilities(document),
    document.key_present ? (document.key_name ?? "none needed") : "missing",
    document.reasoning_efforts === null ? "unknown" : document.reasoning_efforts.join(" ") || "none",
  ]);
  const names = aliases.map(({ alias, route, problem }) => [
    alias,
    route === null
      ? ({ text: oneLine(problem ?? ""), style: "red" } as const)
      : formatRoute({ ...route, effort: route.reasoning_effort }),
  ]);
  const blocks = [
    formatTable(["ALIAS", "RUNS ON"], names, paint, columns),
    formatTable(MODEL_COLUMNS, rows, paint, columns),
    rows.length === 0
      ? "No model matches. Deputy lists the models of providers with a key; deputy doctor shows which have one.\n"
      : summary(models),
  ];
  return blocks.filter((block) => block !== "").join("\n");
}

/** The model's inputs in addition to text, as far as they are known. */
function abilities({ tools, vision }: AvailableModel): string {
  const known = [
    ...(tools === null ? [] : [tools ? "tools" : "no tools"]),
    ...(vision === null ? [] : [vision ? "images" : "no images"]),
  ];
  return known.length === 0 ? "unknown" : known.join(", ");
}

function summary(models: AvailableModel[]): string {
  const providers = new Set(models.map(({ provider }) => provider));
  const count = `${plural(models.length, "model")} of ${plural(providers.size, "provider")}`;
  return `${count}; * marks the provider's default model.\n`;
}
