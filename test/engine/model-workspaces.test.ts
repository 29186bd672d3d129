/** The workspaces that a model may choose for its children: its own and those that the operator allows, no others. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import { createMemoryJournal } from "../../src/testing/index.ts";
import { stage } from "../support/whole-stage.ts";

test("a model's workspaces lie in its own or in extra_dirs, links resolved; the operator's anywhere", async () => {
  await stage({ config: { extra_dirs: ["~/more"] } }, async ({ env, cwd }) => {
    const home = join(cwd, "..");
    for (const path of ["work/inner", "more/deep", "other", "work-too"])
      mkdirSync(join(home, path), { recursive: true });
    symlinkSync(join(home, "other"), join(cwd, "link"));
    const deputy = createDeputy({ env, cwd, journal: createMemoryJournal() });
    const refused = async (workspace: string, askedBy: "model" | "operator") => {
      const [planned] = (await deputy.plan({ goal: "one", workspace }, { askedBy })).planned;
      return planned !== undefined && "problem" in planned ? planned.problem : undefined;
    };
    for (const path of [".", "inner", cwd, join(home, "more"), "../more/deep"])
      assert.equal(await refused(path, "model"), undefined, path);
    for (const path of ["..", "../other", "link", "../work-too", "/"]) {
      const problem = await refused(path, "model");
      assert.equal(problem?.code, "workspace-unusable", path);
      assert.match(problem?.message ?? "", /extra_dirs/);
      assert.equal(await refused(path, "operator"), undefined, path);
    }
    await deputy.close();
  });
});
