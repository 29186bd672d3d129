/** What `deputy apply` prints, on terminals of three sizes, and patches for people. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ApplyReport, FileDiff } from "../../../src/applying.ts";
import { applyText } from "../../../src/cli/terminal/apply-text.ts";
import { paintedPatch } from "../../../src/cli/terminal/patch-text.ts";
import { wrapWords } from "../../../src/cli/terminal/word-wrap.ts";
import { foldRun } from "../../../src/run/run.ts";
import { ready, route } from "../../support/child-stage.ts";
import { assertScreen, SIZES } from "../../support/golden-screen.ts";

const plain = (_style: unknown, text: string) => text;
const GOALS = [
  "Fix the rounding error.",
  "Rename the ants.",
  "Round up instead.",
  "Write the missing tests.",
  "Look around.",
];

const about = { at: 0, delegationId: "7f3a9c2e" };
const begun = foldRun(undefined, {
  ...{ ...about, kind: "delegation-start", surface: "cli", warnings: [] },
  planned: GOALS.map((goal) => ready({ task: { goal }, route: route("zai", "glm-4.7") })),
  call: { tasks: GOALS.map((goal) => ({ goal })) },
});
const files = [
  { path: "src/money.ts", kind: "content" as const, hunks: [{ start: 10, lines: 5, their_start: 10, their_lines: 3 }] },
];
const run = foldRun(begun, {
  ...{ ...about, kind: "conflict-check", compared: ["7f3a9c2e.1", "7f3a9c2e.2", "7f3a9c2e.3"] },
  conflicts: [{ children: ["7f3a9c2e.1", "7f3a9c2e.3"], files }],
});

const changed: FileDiff[] = [
  { path: "src/money.ts", status: "modified", added: 12, removed: 3 },
  { path: "logo\u001b[31m.png", status: "added" },
  { path: "src/bees.ts", from: "src/ants.ts", status: "renamed", added: 0, removed: 0 },
];
const branch = (number: number) => `deputy/7f3a9c2e/${number}-some-goal`;
const child = (number: number) => ({ child_id: `7f3a9c2e.${number}`, task_index: number - 1, branch: branch(number) });
const report: ApplyReport = {
  ...{ delegation_id: "7f3a9c2e", target: "tree", dry_run: false, complete: false, directories: ["/work/ants"] },
  children: [
    { ...child(1), status: "applied", files: changed },
    { ...child(2), status: "contained" },
    { ...child(3), status: "conflict", conflicts: files },
    { ...child(4), status: "not-reached" },
    {
      ...child(5),
      status: "skipped",
      reason: "it did not complete (failed); deputy apply 7f3a9c2e.5 applies what it has done",
    },
  ],
  concerns: [{ path: "Makefile", kind: "script", reason: "build and package tools run it, or what it names" }],
  notes: [],
};

describe("deputy apply", () => {
  for (const size of SIZES)
    test(`names what was applied, and the conflict, at ${size.columns} columns`, () => {
      const text = wrapWords(applyText(run, report, plain), size.columns, "    ");
      assertScreen("apply", size, text.trimEnd());
      const dry = { ...report, dry_run: true };
      assertScreen("apply-dry-run", size, wrapWords(applyText(run, dry, plain), size.columns, "    ").trimEnd());
    });

  test("says what is in the way", () => {
    const obstacles = [{ path: "a\u0007.txt", reason: "a file that git does not track is there" }];
    const blocked: ApplyReport = { ...report, children: [{ ...child(1), status: "blocked", obstacles }] };
    const text = applyText(run, blocked, plain);
    assert.match(
      text,
      /cannot be written, and nothing of it was applied\n {4}a\\x07\.txt: a file that git does not track is there\nNothing was changed\./,
    );
  });

  test("names a branch, a patch, and more files than fit", () => {
    const many = Array.from(
      { length: 25 },
      (_, index): FileDiff => ({ path: `f${index}`, status: "added", added: 1, removed: 0 }),
    );
    const children = [{ ...child(1), status: "applied" as const, files: many }];
    const said = (target: ApplyReport["target"]) =>
      applyText(run, { ...report, children, complete: true, target, branch: "fixes" }, plain);
    assert.match(
      said("branch"),
      /\n {4}… and 5 more\nThe new branch fixes of \/work\/ants has the work of 1 child\.\n$/,
    );
    assert.match(said("patch"), /The patch has the work of 1 child, and fits \/work\/ants as it is now\.\n$/);
  });
});

test("a patch is colored by its lines; what looks like a header in it is content", () => {
  const patch = Buffer.from(
    "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@ f\n same\n--- old\n+\u001b[2J+ new\n\\ No newline at end of file\n",
  );
  const styled = paintedPatch(patch, (style, text) => `<${String(style)}>${text}`);
  assert.deepEqual(styled.split("\n"), [
    ...["<bold>diff --git a/x b/x", "<bold>--- a/x", "<bold>+++ b/x", "<cyan>@@ -1,2 +1,3 @@ f", " same"],
    ...["<red>--- old", "<green>+\\x1b[2J+ new", "<dim>\\ No newline at end of file", ""],
  ]);
  assert.equal(paintedPatch(Buffer.alloc(0), plain), "");
});
