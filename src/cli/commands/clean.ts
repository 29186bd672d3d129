/** `deputy clean`: removes the working copies of isolated children once their work is in its repository. */
import type { Cleaned } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { plural } from "../../text/plural.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

type CleanFlags = { dryRun?: true; json?: true; config?: string };

export const declareClean: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Remove working copies of isolated children. What is not saved is saved on their branches first.")
    .argument("[id]", "a run, or a child (ID.n); default: all")
    .option("--dry-run", "show what would be removed")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
A copy stays while its run is active or its child could still work, and if it holds what its branch cannot. Branches
are never removed.
${examples([
  ["deputy clean", "all copies that nobody needs"],
  ["deputy clean 7f3a.2 --dry-run", "whether the copy of one child would go"],
])}`,
    )
    .action((written: string | undefined, { dryRun, json, config }: CleanFlags) =>
      withDeputy(context, config, async ({ engine }) => {
        const id = written === undefined ? undefined : await fullId(engine, written);
        const cleaned = await engine.clean({ ...present({ id, dryRun }) });
        if (json) io.stdout.write(jsonDocument({ dry_run: dryRun === true, ...documentOf(cleaned) }));
        else io.stdout.write(wrapFor(io.stdout, formatCleaned(cleaned, dryRun === true)));
      }),
    );
};

/** A run that was pruned is still known by its copies. */
function fullId(engine: { wholeId(id: string, among: object): Promise<string> }, written: string): Promise<string> {
  return engine.wholeId(written, {}).catch((error: unknown) => {
    if (error instanceof DeputyError && error.code === "run-unknown" && /^[a-z0-9]{8}(\.\d+)*$/.test(written))
      return written;
    throw error;
  });
}

function documentOf({ removed, kept, refs }: Cleaned) {
  const copyDocument = ({ childId, path, repository, branch }: Cleaned["removed"][number]) => ({
    child_id: childId,
    path,
    repository,
    branch,
  });
  return {
    removed: removed.map(copyDocument),
    kept: kept.map(({ reason, ...copy }) => ({ ...copyDocument(copy), reason })),
    refs,
  };
}

function formatCleaned({ removed, kept, refs }: Cleaned, dryRun: boolean): string {
  const verb = dryRun ? "Would remove" : "Removed";
  const lines = [
    ...removed.map(({ childId, path }) => `${verb} the copy of ${childId}: ${oneLine(path)}`),
    ...kept.map(({ childId, path, reason }) => `Kept the copy of ${childId}, ${oneLine(path)}: ${oneLine(reason)}.`),
    ...(refs.length === 0 ? [] : [`Removed ${plural(refs.length, "ref")} that kept bases of copies that are gone.`]),
  ];
  return lines.length === 0 ? "There are no working copies.\n" : `${lines.join("\n")}\n`;
}
