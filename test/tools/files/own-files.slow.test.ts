/** Deputy's own files among those of a workspace: recognized at the worst moment and under any name. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { linkSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { holdLock } from "../../../src/journal/sqlite/process-lock.ts";
import { openWorkshop } from "../workshop.ts";

const SECRET = "what only Deputy knows";

/** A workspace with a state directory and a config in it. */
function ownedWorkshop(context: TestContext) {
  const { workspace, write } = openWorkshop(context);
  const own = {
    directories: [join(workspace, "state")],
    files: [join(workspace, "rules.yaml"), join(workspace, ".env")],
  };
  write("state/token", SECRET);
  write("rules.yaml", SECRET);
  return { workspace, write, call: openWorkshop(context, { workspace, own }).call };
}

test("a name that some file systems take for the same is refused, one that only begins alike is not", async (context) => {
  const { call } = ownedWorkshop(context);
  for (const path of [".ENV", "State/new", ".DEPUTY/config.yaml", "deep/.deputy", ".dep\u200cuty/config.yaml"]) {
    const { text } = await call("write_file", { path, content: "" });
    assert.match(text, /one of Deputy's own files/, path);
  }
  for (const path of [".env.local", "state.md", "deep/.env", ".deputyrc", "deputy/config.yaml", "my.deputy"])
    assert.ok((await call("write_file", { path, content: "" })).ok, path);
});

test("a file under a name that differs only in case is recognized, and no other is", async (context) => {
  const { workspace, write, call } = ownedWorkshop(context);
  write("RULES.yaml", "mine");
  write("State/notes", "mine");
  const isOneFile = readFileSync(join(workspace, "rules.yaml"), "utf8") !== SECRET;
  for (const path of ["RULES.yaml", "State/notes"]) {
    const { ok, text } = await call("read_file", { path });
    assert.deepEqual([ok, /Deputy's own files/.test(text)], [!isOneFile, isOneFile], path);
    const edit = { path, old_string: "mine", new_string: "still mine" };
    assert.equal((await call("edit_file", edit)).ok, !isOneFile, path);
  }
  if (!isOneFile) linkSync(join(workspace, "rules.yaml"), join(workspace, "Rules.yaml"));
  for (const path of ["rules.yaml", "state/token", ...(isOneFile ? [] : ["Rules.yaml"])])
    assert.match((await call("read_file", { path })).text, /Deputy's own files/, path);
});

test("a link that is redirected to them later does not open them", async (context) => {
  const { workspace, call } = ownedWorkshop(context);
  mkdirSync(join(workspace, "place"));
  symlinkSync("place", join(workspace, "way"));
  assert.ok((await call("write_file", { path: "way/token", content: "mine" })).ok);
  spawnSync("ln", ["-sfn", "state", join(workspace, "way")]);
  assert.match((await call("read_file", { path: "way/token" })).text, /Deputy's own files/);
  assert.match((await call("write_file", { path: "way/token", content: "mine" })).text, /Deputy's own files/);
  assert.equal(readFileSync(join(workspace, "state/token"), "utf8"), SECRET);
});

test("a file replaced by a hard link to a held lock all the time frees no lock", async (context) => {
  const { workspace, write, call } = ownedWorkshop(context);
  const lock = join(workspace, "state/me.lock");
  context.after(holdLock(lock));
  write("swapped", "mine");
  const swapping =
    'const { linkSync, renameSync, writeFileSync } = require("node:fs"); for (;;) { linkSync("state/me.lock", "next"); ' +
    'renameSync("next", "swapped"); rest(); writeFileSync("next", "mine"); renameSync("next", "swapped"); rest(); } ' +
    "function rest() { Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.random() * 2); }";
  const swapper = spawn(process.execPath, ["-e", swapping], { cwd: workspace, stdio: "ignore" });
  await once(swapper, "spawn");
  const seen = { ok: 0, refused: 0 };
  try {
    for (const deadline = Date.now() + 1_500; Date.now() < deadline; ) {
      const { ok, text } = await call("read_file", { path: "swapped" });
      seen[ok ? "ok" : "refused"] += 1;
      assert.match(text, /^1\tmine$|Deputy's own files/);
    }
  } finally {
    swapper.kill("SIGKILL");
    await once(swapper, "exit");
  }
  assert.ok(seen.ok > 20 && seen.refused > 20, JSON.stringify(seen));
  const looking = `import { isLockHeld } from ${JSON.stringify(new URL("../../../src/journal/sqlite/process-lock.ts", import.meta.url))};
    console.log(isLockHeld(process.argv[1]));`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", looking, lock], { encoding: "utf8" });
  if (process.platform === "linux") assert.equal(stdout.trim(), "true");
});
