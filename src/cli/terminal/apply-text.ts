/** What came of `deputy apply`, for people. */
import type { AppliedChild, ApplyReport, Concern } from "../../applying.ts";
import { conflictInWords } from "../../conflict.ts";
import type { Run } from "../../run/run.ts";
import type { Paint } from "../io.ts";
import { goalIn, taskPosition } from "./event-lines.ts";
import { fileLine, filesTotal } from "./file-changes.ts";
import { plural } from "./format.ts";
import { oneLine } from "./terminal-text.ts";

/** Files and places listed for a child. */
const MOST_LISTED = 20;
const GOAL_COLUMNS = 60;

export function applyText(run: Run, report: ApplyReport, paint: Paint): string {
  const { children, concerns, notes, dry_run: isDryRun, target } = report;
  const lines = [
    ...notes.map((note) => paint("yellow", `! ${oneLine(note)}`)),
    ...children.flatMap((child) => childLines(child, run, report, paint)),
    ...(isDryRun || target === "patch" ? concernLines(concerns, paint) : []),
    ...lastLines(report, paint),
  ];
  return `${lines.join("\n")}\n`;
}

/** What the user is asked about. */
export function concernLines(concerns: readonly Concern[], paint: Paint): string[] {
  if (concerns.length === 0) return [];
  const shown = concerns.slice(0, MOST_CONCERNS).map(({ path, reason }) => `  ${oneLine(path)}: ${oneLine(reason)}`);
  const more = concerns.length - shown.length;
  const rest = more === 0 ? [] : [`  … and ${plural(more, "more file")}`];
  return [paint("yellow", "! This takes effect by itself:"), ...shown, ...rest];
}

const MOST_CONCERNS = 200;

function childLines(child: AppliedChild, run: Run, report: ApplyReport, paint: Paint): string[] {
  const { sign, said, details } = described(child, report, collidingSiblings(child, run, report), paint);
  const goal = goalIn(run, child.task_index, GOAL_COLUMNS);
  const shown = details.slice(0, MOST_LISTED).map((line) => `    ${line}`);
  const more = details.length - shown.length;
  return [
    `${sign} ${taskPosition(child.task_index, run)} ${goal} ${paint("dim", `(${child.child_id})`)} ${said}`,
    ...shown,
    ...(more > 0 ? [`    … and ${more} more`] : []),
  ];
}

type Described = { sign: string; said: string; details: string[] };

/** The siblings that are applied and do not merge with a child. */
function collidingSiblings({ task_index }: AppliedChild, { children }: Run, report: ApplyReport): string[] {
  const applied = report.children.filter(({ status }) => status === "applied" || status === "contained");
  const colliding = children[task_index]?.tally.conflicts ?? [];
  return colliding.flatMap(({ child_id: id }) => (applied.some(({ child_id }) => child_id === id) ? [id] : []));
}

function described(
  child: AppliedChild,
  { dry_run: isDryRun }: ApplyReport,
  siblings: readonly string[],
  paint: Paint,
): Described {
  const bad = paint("red", "✗");
  const note = paint("yellow", "!");
  switch (child.status) {
    case "applied": {
      const { files = [] } = child;
      const said = `${isDryRun ? "would be applied" : "applied"}: ${filesTotal(files, paint)}`;
      return { sign: paint("green", "✓"), said, details: files.map((file) => fileLine(file, paint)) };
    }
    case "contained":
      return { sign: paint("green", "="), said: "is there already", details: [] };
    case "unchanged":
      return { sign: "·", said: "changed nothing", details: [] };
    case "conflict": {
      const { conflicts = [], more_conflicts: more = 0 } = child;
      const places = conflicts.map((file) => oneLine(conflictInWords(file)));
      const details = more === 0 ? places : [...places, `… and ${plural(more, "more file")}`];
      const whose = siblings.length === 0 ? "" : ` with the work of ${siblings.join(" and ")}`;
      return { sign: bad, said: `does not merge${whose}, and nothing of it was applied`, details };
    }
    case "blocked": {
      const details = (child.obstacles ?? []).map(({ path, reason }) => `${oneLine(path)}: ${oneLine(reason)}`);
      return { sign: bad, said: "cannot be written, and nothing of it was applied", details };
    }
    case "skipped":
      return { sign: note, said: `was left out: ${oneLine(child.reason ?? "")}`, details: [] };
    case "not-reached":
      return { sign: "·", said: `was not reached; deputy apply ${child.child_id} applies it alone`, details: [] };
    case "declined":
      return { sign: note, said: "was not applied", details: [] };
    default:
      return child.status satisfies never;
  }
}

/** What was done, and what can be done now. */
function lastLines(report: ApplyReport, paint: Paint): string[] {
  const { children, directories, target, branch, dry_run: isDryRun, complete } = report;
  const done = children.filter(({ status }) => status === "applied").length;
  const where = directories.map(oneLine).join(", ");
  const work = `the work of ${plural(done, "child")}`;
  const failed = children.find(({ status }) => status === "conflict");
  const said = (() => {
    if (done === 0) return "Nothing was changed.";
    if (isDryRun) return "Nothing was changed: this was a dry run.";
    if (target === "patch") return `The patch has ${work}, and fits ${where} as it is now.`;
    if (target === "branch") return `The new branch ${oneLine(branch ?? "")} of ${where} has ${work}.`;
    return `${where} has ${work}, as uncommitted changes. See git diff there.`;
  })();
  const next = failed === undefined ? [] : [afterConflict(failed, report, done)];
  return [paint(complete ? "green" : "yellow", said), ...next];
}

function afterConflict(
  { child_id: id, branch = "" }: AppliedChild,
  { target, dry_run: isDryRun }: ApplyReport,
  done: number,
): string {
  const first = done > 0 && target === "tree" && !isDryRun ? "commit what was applied, and then " : "";
  return `See deputy diff ${id}. To merge it by hand, ${first}use git merge ${oneLine(branch)}.`;
}
