/**
 * Selects what a search or a listing may return, by the permission rules, and counts what it leaves out. The count must
 * not depend on the content of those files, and not on a pattern for their names: a model could guess both.
 */
import type { FileAccess, PermissionDecision, ToolContext } from "../../tool.ts";
import { fileSubject } from "./paths/file-subject.ts";
import type { Workspace } from "./paths/workspace.ts";

type Reason = "denied" | "asks" | "secret" | "secret-denied";

/** Explanations for one omitted file, and for several. */
const WHY: Record<Reason, [one: string, several: string]> = {
  denied: ["is not shown: a permission rule denies it", "are not shown: a permission rule denies them"],
  asks: [
    "is not shown: a permission rule asks first. Give it as path to ask for approval",
    "are not shown: a permission rule asks first. Give one as path to ask for approval",
  ],
  secret: [
    "holds secrets and is not shown: read it by name to ask for approval",
    "hold secrets and are not shown: read one by name to ask for approval",
  ],
  "secret-denied": [
    "holds secrets and is not shown: only a permission rule can allow it",
    "hold secrets and are not shown: only a permission rule can allow them",
  ],
};

export type Selection = {
  /** Judges a path below the searched one, with `/` between names. */
  includes(path: string): boolean;
  /** One line for each reason. */
  leftOut(): string[];
};

/** @param path of the call, whose own permission has been decided */
export function createSelection(
  workspace: Workspace,
  path: string,
  access: FileAccess,
  { judge }: Pick<ToolContext, "judge">,
): Selection {
  const counts = new Map<Reason, number>();
  const { file } = fileSubject(workspace, path, access);
  const [first, ...others] = file.names;
  return {
    includes(path) {
      const names = [below(first, path), ...others.map((name) => below(name, path))] as const;
      const decided = judge?.({ names, access });
      if (decided === undefined || decided.decision === "allow") return true;
      const reason = reasonOf(decided);
      counts.set(reason, (counts.get(reason) ?? 0) + 1);
      return false;
    },
    leftOut: () =>
      [...counts].map(([reason, count]) => {
        const [one, several] = WHY[reason];
        return count === 1 ? `[1 file ${one}.]` : `[${count} files ${several}.]`;
      }),
  };
}

function reasonOf({ decision, holdsSecrets }: PermissionDecision): Reason {
  if (holdsSecrets) return decision === "deny" ? "secret-denied" : "secret";
  return decision === "deny" ? "denied" : "asks";
}

function below(directory: string, path: string): string {
  return directory === "." ? path : `${directory}/${path}`;
}
