/**
 * Which provider to run on if several have a key and neither flags nor config name one: a terminal asks once, and offers to
 * save the choice as the user's config. Elsewhere, planning reports the problem with the ways to name one.
 */
import { userConfigPath } from "../../config/load.ts";
import type { Opened } from "../../engine/setup/open-deputy.ts";
import { defaultModelOf } from "../../routing/catalog/providers.ts";
import type { Call } from "../../task.ts";
import { present } from "../../values/present.ts";
import { agreed } from "../approvals/question.ts";
import { createPaint, type Io, isRichTerminal } from "../io.ts";
import { formatTable } from "../terminal/table.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { columnsOf } from "../terminal/word-wrap.ts";
import { type RouteFlags, wishOf } from "../work-flags.ts";
import { askForNumber } from "./which-run.ts";

type RoutedCall = { call: Call; flags: RouteFlags; workspace: string; isConversation?: true };

/** The flags, with the provider that the user chose if one had to be chosen. */
export async function withProvider(
  { loadConfig, routing }: Pick<Opened, "loadConfig" | "routing">,
  { call, flags, workspace, isConversation }: RoutedCall,
  io: Io,
): Promise<RouteFlags> {
  if (io.stdin.isTTY !== true || !isRichTerminal(io.stderr, io.env)) return flags;
  const { plan, credentials } = routing();
  const parent = wishOf(flags);
  const { planned } = plan(call, { cwd: workspace, parent, ...present({ isConversation }) });
  const isUndecided = planned.some((entry) => "problem" in entry && entry.problem.code === "ambiguous-route");
  const usable = credentials.usable();
  const { config, files } = loadConfig();
  if (!isUndecided || usable.length < 2 || flags.provider !== undefined || config.provider !== undefined) return flags;
  const rows = usable.map((provider, at) => [
    String(at + 1),
    provider.slug,
    oneLine(flags.model ?? defaultModelOf(provider) ?? "no default model"),
  ]);
  io.stderr.write("Several providers have a key, and nothing names one.\n");
  io.stderr.write(formatTable(["", "PROVIDER", "MODEL"], rows, createPaint(io.stderr, io.env), columnsOf(io.stderr)));
  const chosen = usable[(await askForNumber(io, usable.length, "Which provider?")) - 1];
  if (chosen === undefined) return flags;
  const path = userConfigPath(io.env);
  if (files.length === 0 && (await agreed(io, io.stderr, `Save it as the default in ${path}?`))) {
    const { writeConfig } = await import("../config/write-config.ts");
    writeConfig(
      path,
      `# Default for tasks without a provider; deputy config init writes more.\nprovider: ${chosen.slug}\n`,
    );
  }
  return { ...flags, provider: chosen.slug };
}
