/**
 * `apply_patch`: what GPT models are trained to change files with. One call can add, update, move and delete several
 * files. All of it is checked first, with the checks of `write_file` and `edit_file`, and made in one synchronous turn:
 * all or nothing.
 */
import { z } from "zod";
import type { FileSubject, Tool, ToolSubject } from "../../../../tool.ts";
import { fileSubject, isThere } from "../../paths/file-subject.ts";
import { showPath, type Workspace } from "../../paths/workspace.ts";
import { changeReport, otherNames, temporaryName, WHOLE_CHARACTERS } from "../changed-file.ts";
import { type FilePatch, type Hunk, parsePatch, readPatch } from "./parse-patch.ts";

const input = z.strictObject({
  input: z
    .string()
    .refine(...WHOLE_CHARACTERS)
    .describe("The whole patch, from *** Begin Patch to *** End Patch."),
});

const DESCRIPTION = `Changes files of the workspace. The patch has this form:
*** Begin Patch
*** Update File: src/app.py
@@ def greet():
 context line
-removed line
+added line
*** Add File: src/new.py
+content
*** Delete File: src/old.py
*** End Patch
Paths are relative to the workspace. "*** Move to: PATH" after "*** Update File" renames the file. Give about three lines of context around each change. If they occur several times, put a line from above them after @@. Read a file whole before you delete or replace it. If a part does not match, nothing is changed.`;

export function createApplyPatch(workspace: Workspace): Tool<z.infer<typeof input>> {
  return {
    name: "apply_patch",
    description: DESCRIPTION,
    effect: "write",
    input,
    otherNames: { patch: "input" },
    comesWith: ["write_file", "edit_file"],
    subject: ({ input: patch }) => subjectOf(workspace, patch),
    run: async ({ input: patch }, context) => {
      const [{ planChanges }, { makeAll }] = await Promise.all([
        import("./plan-changes.ts"),
        import("./all-or-nothing.ts"),
      ]);
      const { changes, steps } = planChanges(workspace, parsePatch(patch), context);
      const names = makeAll(workspace, steps, temporaryName(context));
      return changeReport(
        changes.map((change) => ({
          ...change,
          told: [...change.told, ...otherNames(names.get(change.place.real) ?? 1)],
        })),
      );
    },
  };
}

/** The files that a patch touches, each judged by the rules for what is done with it. */
function subjectOf(workspace: Workspace, patch: string): ToolSubject {
  const files = readPatch(patch);
  const [first, ...others] = files.flatMap((file) => touched(workspace, file));
  // The call itself says what is wrong with the patch.
  if (first === undefined) return { target: "a patch that cannot be read", otherwise: "allow" };
  const names = new Set([first, ...others].map(({ names: [place] }) => place));
  return {
    target: [...names].join("\n"),
    asked: files.map((file) => sectionInWords(workspace, file)).join("\n"),
    otherwise: "allow",
    file: first,
    otherFiles: others,
  };
}

/** As in an edit, a miss reveals what is in the file, so the rules for reading apply. */
function touched(workspace: Workspace, file: FilePatch): FileSubject[] {
  const subject = (path: string, access: FileSubject["access"], ...rulesOf: string[]): FileSubject => ({
    ...fileSubject(workspace, path, access).file,
    rulesOf,
  });
  const { path } = file;
  switch (file.kind) {
    case "add":
      return [subject(path, isThere(workspace, path) ? "replace" : "create", "write_file")];
    case "delete":
      return [subject(path, "read", "write_file", "edit_file")];
    case "update": {
      const changed = subject(path, "read", "edit_file");
      if (file.moveTo === undefined) return [changed];
      return [
        { ...changed, rulesOf: ["write_file", "edit_file"] },
        subject(file.moveTo, isThere(workspace, file.moveTo) ? "replace" : "create", "write_file"),
      ];
    }
    default:
      return file satisfies never;
  }
}

/** A section as an approval request shows it: with the paths where the files really are. */
function sectionInWords(workspace: Workspace, file: FilePatch): string {
  const path = showPath(workspace, file.path);
  switch (file.kind) {
    case "add":
      return [`*** Add File: ${path}`, ...contentLines(file.content)].join("\n");
    case "delete":
      return `*** Delete File: ${path}`;
    case "update": {
      const moved = file.moveTo === undefined ? [] : [`*** Move to: ${showPath(workspace, file.moveTo)}`];
      return [`*** Update File: ${path}`, ...moved, ...file.hunks.flatMap(hunkLines)].join("\n");
    }
    default:
      return file satisfies never;
  }
}

function contentLines(content: string): string[] {
  return content
    .split("\n")
    .slice(0, -1)
    .map((line) => `+${line}`);
}

function hunkLines({ contexts, lines }: Hunk): string[] {
  return [...contexts.map((context) => `@@ ${context}`), ...lines.map(({ sign, text }) => `${sign}${text}`)];
}
