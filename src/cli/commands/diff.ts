/** `deputy diff`: what children have changed on their branches. */
import type { ChildDiff } from "../../applying.ts";
import type { Engine } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import type { Run } from "../../run/run.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createPaint, type Io, type Paint } from "../io.ts";
import { goalIn, taskPosition } from "../terminal/event-lines.ts";
import { fileLine, filesTotal } from "../terminal/file-changes.ts";
import { plural } from "../terminal/format.ts";
import { paintedPatch } from "../terminal/patch-text.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";

type DiffFlags = { last?: true; stat?: true; json?: true; config?: string };

export const declareDiff: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Show what the children of a run, or one child, changed on their branches.")
    .argument("[id]", "a run, or a child (ID.n)")
    .option(...LAST_OPTION)
    .option("--stat", "only the files, with the number of changed lines")
    .option("--json", "as JSON: branches, commits, files and patches")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
A child with isolation: worktree has a branch with its work. Its changes are those since the commit that it started
from. In a pipe, the output is a patch for git apply. The patch of a child that is still running is what was saved last.
${examples([
  ["deputy diff 7f3a", "the changes of each child, in order"],
  ["deputy diff 7f3a.2 --stat", "the files that the second child changed"],
  ["deputy diff 7f3a.2 | git apply", "apply them, if they fit exactly; see also deputy apply"],
])}`,
    )
    .action((written: string | undefined, flags: DiffFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const id = await whichRun(engine, { id: written, last: flags.last }, io);
        const { delegation_id, children } = await engine.diff(id);
        if (children.every(({ state }) => state === "none")) throw noBranch(id, children);
        if (flags.json) return printJson(engine, { delegation_id, children }, flags.stat === true, io);
        const { run } = await engine.run(id);
        const patchOf = flags.stat ? undefined : (child: ChildDiff) => engine.patch(child, io.stdout.isTTY !== true);
        await printDiffs(run, children, patchOf, io);
      }),
    );
};

function noBranch(id: string, children: readonly ChildDiff[]): DeputyError {
  const who = children.length === 1 ? `${id} has` : `The children of ${id} have`;
  const message = `${who} no branch: only tasks with isolation: worktree get one. See the changed files: deputy show ${id}`;
  return new DeputyError("branch-unavailable", message);
}

async function printJson(
  engine: Engine,
  { delegation_id, children }: { delegation_id: string; children: ChildDiff[] },
  isStat: boolean,
  { stdout }: Io,
): Promise<void> {
  const patches = await Promise.all(
    children.map(async (child) => (isStat ? {} : { patch: (await engine.patch(child, false)).toString("utf8") })),
  );
  const shown = children.map((child, index) => ({ ...child, ...patches[index] }));
  stdout.write(jsonDocument({ delegation_id, children: shown }));
}

async function printDiffs(
  run: Run,
  children: readonly ChildDiff[],
  patchOf: ((child: ChildDiff) => Promise<Buffer>) | undefined,
  { stdout, stderr, env }: Io,
): Promise<void> {
  const paint = createPaint(stdout, env);
  const forPeople = stdout.isTTY === true || patchOf === undefined;
  for (const [index, child] of children.entries()) {
    const head = `${taskPosition(child.task_index, run)} ${goalIn(run, child.task_index, GOAL_COLUMNS)}`;
    const note = noteOn(child);
    if (!forPeople) {
      if (note !== undefined) stderr.write(`! ${child.child_id} ${note}\n`);
      stdout.write((await patchOf?.(child)) ?? "");
      continue;
    }
    const facts = [factsOf(child, paint), note === undefined ? "" : paint("yellow", `! It ${note}`)];
    const above = [paint("bold", head), ...facts.filter((line) => line !== "")].join("\n");
    const below = patchOf === undefined ? fileList(child, paint) : paintedPatch(await patchOf(child), paint);
    stdout.write(`${index === 0 ? "" : "\n"}${wrapFor(stdout, above)}\n${below}`);
  }
}

const GOAL_COLUMNS = 200;

/** `deputy/7f3a/2-fix · 2 commits · 3 files, +14 −2`. */
function factsOf({ branch, commits, files }: ChildDiff, paint: Paint): string {
  if (branch === undefined || commits === undefined) return "";
  return [paint("dim", oneLine(branch)), plural(commits, "commit"), filesTotal(files, paint)].join(" · ");
}

function fileList({ files }: ChildDiff, paint: Paint): string {
  return files.map((file) => `  ${fileLine(file, paint)}\n`).join("");
}

/** What its changes may not include, after its name. */
function noteOn({ state, head, files }: ChildDiff): string | undefined {
  if (state === "none") return "has no branch.";
  if (state === "running")
    return head === undefined
      ? "is still running. Its work is on its branch when it ends."
      : "is still running. This is what was saved when it was last interrupted.";
  return files.length === 0 ? "changed nothing." : undefined;
}
