/** Random changes of a small repository, made so that those of siblings often meet, and git's own merge of them. */
import { chmodSync, mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import fc from "fast-check";
import type { TestRepository } from "./git-repository.ts";

const text = (first: string) =>
  `${first}\n${Array.from({ length: 19 }, (_, index) => `line ${index + 2}`).join("\n")}\n`;

/** Few files and few lines, so that siblings meet. */
const FILES = ["a", "b", "d/a", "d/b", "d/e/c"];
const PLACES = [...FILES, "n", "d/n", "d/e/n", "f/a", "f/b", "a/n", "d"];

export function randomBase(repository: TestRepository): string {
  for (const [index, file] of FILES.entries()) repository.write(file, text(`file ${index}`));
  return repository.commit("base");
}

export type Edit =
  | { kind: "line"; file: string; line: number; value: string }
  | { kind: "write"; file: string; value: string }
  | { kind: "rename"; file: string; to: string }
  | { kind: "remove" | "mode" | "link"; file: string };

const file = fc.constantFrom(...FILES);
const place = fc.constantFrom(...PLACES);
const value = fc.constantFrom("x", "y");
export const randomEdits: fc.Arbitrary<Edit[]> = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ kind: fc.constant("line"), file, line: fc.integer({ min: 2, max: 20 }), value }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant("write"), file: place, value }) },
    {
      weight: 2,
      arbitrary: fc.record({ kind: fc.constant("rename"), file: fc.constantFrom(...FILES, "d", "d/e"), to: place }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("remove", "mode", "link"), file }) },
  ),
  { minLength: 1, maxLength: 4 },
);

/** Makes the edits that are possible in this order. */
export function playEdits(repository: TestRepository, edits: readonly Edit[]): void {
  for (const edit of edits) {
    try {
      playOne(repository, edit);
    } catch {
      // A former edit has taken its file away, or is in its place.
    }
  }
}

function playOne({ path, write, remove }: TestRepository, edit: Edit): void {
  const at = join(path, edit.file);
  switch (edit.kind) {
    case "line":
      writeFileSync(at, readFileSync(at, "utf8").replace(`line ${edit.line}\n`, `${edit.value}\n`), { flag: "r+" });
      return;
    case "write":
      write(edit.file, `${edit.value}\n`);
      return;
    case "rename":
      mkdirSync(dirname(join(path, edit.to)), { recursive: true });
      renameSync(at, join(path, edit.to));
      return;
    case "mode":
      chmodSync(at, 0o755);
      return;
    case "link":
      remove(edit.file);
      symlinkSync("b", at);
      return;
    case "remove":
      remove(edit.file);
      return;
    default:
      edit satisfies never;
  }
}

/** Really merges, in the working tree. */
export function reallyMerges(repository: TestRepository, one: string, other: string): boolean {
  repository.git("checkout", "--quiet", "--detach", "--force", one);
  repository.git("clean", "-ffdxq");
  const exitCode = repository.tryGit("merge", "--quiet", "--no-edit", other);
  if (exitCode !== 0) repository.tryGit("merge", "--abort");
  return exitCode === 0;
}
