/** `deputy apply`: children's work for the user's working tree, for a new branch, or as a patch. */
import { Option } from "commander";
import type { ApplyTarget, Concern } from "../../applying.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { agreed } from "../approvals/question.ts";
import { userOf } from "../approvals/user.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createPaint, type Io } from "../io.ts";
import { applyText, concernLines } from "../terminal/apply-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

type ApplyFlags = {
  last?: true;
  branch?: string;
  patch?: true;
  yes?: true;
  dryRun?: true;
  json?: true;
  config?: string;
};

export const declareApply: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Apply the work of a run's children, in task order, or of one child.")
    .argument("[id]", "a run, or a child (ID.n)")
    .option(...LAST_OPTION)
    .addOption(
      new Option("--branch <name>", "make this branch of your HEAD with it; no file changes").conflicts("patch"),
    )
    .option("--patch", "print it as a patch for your working tree; no file changes")
    .option("-n, --dry-run", "tell what would happen; nothing changes")
    .option("-y, --yes", "also apply what takes effect by itself, such as hooks, without asking")
    .option("--json", "as JSON")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Each child's changes are merged with the files as you have them, committed or not, and become uncommitted changes. Your
index, HEAD, branches and stash stay as they are. It stops at the first child that does not merge: nothing of that child
is applied. A run's children that did not complete are left out; ID.n applies one of them. The working tree is that of
the current directory if it belongs to the repository of the run, otherwise the one that the run was started in.

Exit codes: 0 everything is there · 1 something was not applied · 2 usage.
${examples([
  ["deputy apply 7f3a", "all completed children, in order"],
  ["deputy apply 7f3a.2 --dry-run", "does the second child's work fit?"],
  ["deputy apply 7f3a --branch fixes", "a branch with one commit for each child"],
  ["deputy apply 7f3a.2 --patch > fix.patch", "a patch that fits your files as they are"],
])}`,
    )
    .action((written: string | undefined, flags: ApplyFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const id = await whichRun(engine, { id: written, last: flags.last }, io);
        const target = targetOf(flags);
        const { report, patch } = await engine.apply(id, {
          target,
          directory: io.cwd,
          by: userOf("deputy apply"),
          confirm: (concerns) => confirmed(concerns, flags, io),
          ...present({ isDryRun: flags.dryRun }),
        });
        context.exitWith(report.complete ? EXIT_COMPLETED : EXIT_NOT_COMPLETED);
        if (flags.json)
          return void io.stdout.write(
            jsonDocument({ ...report, ...(target.kind === "patch" && { patch: patch.toString("utf8") }) }),
          );
        const output = target.kind === "patch" ? io.stderr : io.stdout;
        if (target.kind === "patch") io.stdout.write(patch);
        const { run } = await engine.run(id);
        output.write(wrapFor(output, applyText(run, report, createPaint(output, io.env)), "    "));
      }),
    );
};

function targetOf({ branch, patch }: ApplyFlags): ApplyTarget {
  if (branch !== undefined) return { kind: "branch", name: branch };
  return { kind: patch ? "patch" : "tree" };
}

/** Says what is asked about. Without a terminal, only `--yes` agrees. */
async function confirmed(concerns: readonly Concern[], { yes }: ApplyFlags, io: Io): Promise<boolean> {
  const { stdin, stderr } = io;
  const paint = createPaint(stderr, io.env);
  stderr.write(wrapFor(stderr, `${concernLines(concerns, paint).join("\n")}\n`, "    "));
  if (yes) return true;
  if (stdin.isTTY === true && stderr.isTTY === true) return agreed(io, stderr, "Apply it?");
  stderr.write("Nobody can be asked here. Look at it with deputy diff, then apply it with --yes.\n");
  return false;
}
