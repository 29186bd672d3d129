/** `deputy costs`: what all runs in the journal have used and cost, by model, provider, day, tag, agent or run. */
import { Option } from "commander";
import type { RunFilter } from "../../engine/engine.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { isWithin } from "../../values/path-within.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { earliest, parseSince, type Since } from "../input/since.ts";
import { createPaint } from "../io.ts";
import { localDay } from "../terminal/local-time.ts";
import { columnsOf } from "../terminal/word-wrap.ts";
import { COST_KEYS, type CostKey, costsOf } from "./cost-groups.ts";
import { costsDocument, formatCosts } from "./cost-table.ts";

type CostsFlags = { by: CostKey; since?: Since; here?: true; json?: true; config?: string };

export const declareCosts: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Add up what all runs have used and cost: requests, tokens and dollars.")
    .addOption(new Option("--by <key>", "what to add up by").choices(COST_KEYS).default("model"))
    .option("--since <time>", "only requests sent since: 30m, 12h, 7d, 2w, or a date", parseSince)
    .option("--here", "only runs of this directory and those below it")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Every request counts once, on the model that it was sent to and on the local day when it was sent. The results that deputy
retry carries over cost nothing again. A task with several tags counts under each of them. "+ unknown" means that some
requests have no known price or usage; "~" that a failed request may have been charged. Runs that deputy journal prune
removed are not included.
${examples([
  ["deputy costs", "by model, of all runs"],
  ["deputy costs --by day --since 7d", "each day of the last week"],
  ["deputy costs --by tag --here", "by tag, of the runs of this directory"],
  ["deputy costs --by run --since 1d --json", "today's runs, for a program"],
])}`,
    )
    .action((flags: CostsFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const since = flags.since && earliest(flags.since, io.clock.now());
        const among: RunFilter | undefined =
          flags.here && (({ directory }) => directory !== undefined && isWithin(io.cwd, directory));
        const shares = engine.usage({ ...present({ among, since }), periodOf: localDay });
        const costs = await costsOf(shares, flags.by);
        if (flags.json) io.stdout.write(jsonDocument(costsDocument(costs, { by: flags.by, ...present({ since }) })));
        else {
          const view = { by: flags.by, paint: createPaint(io.stdout, io.env), columns: columnsOf(io.stdout) - 1 };
          io.stdout.write(formatCosts(costs, view));
        }
      }),
    );
};
