/** The files that `deputy apply` asks about, from its own table. */
import { CONCERNS } from "../../src/worktree/apply/concerns.ts";
import { code, markdownTable } from "./table.ts";

export function concernTable(): string {
  return markdownTable(
    ["kind", "files", "why"],
    CONCERNS.map(({ kind, files = [], folders = [], reason }) => [
      code(kind),
      [...folders.map((name) => code(`${name}/`)), ...files.map(code)].join(" "),
      reason,
    ]),
  );
}
