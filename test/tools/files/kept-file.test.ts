/** A change keeps what a file has besides its content: other names, owner, mode, and the link that leads to it. */
import assert from "node:assert/strict";
import {
  chmodSync,
  chownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

/** Both ways to change `file` from "old\n" to "new\n". */
const CHANGES: [name: string, input: (path: string) => object][] = [
  ["edit_file", (path) => ({ path, old_string: "old", new_string: "new" })],
  ["write_file", (path) => ({ path, content: "new\n" })],
];

for (const [tool, input] of CHANGES) {
  describe(`what ${tool} keeps`, () => {
    test("the other names of the file, in any directory", async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      write("one", "old\n");
      mkdirSync(join(workspace, "below"));
      for (const name of ["two", "below/three"]) linkSync(join(workspace, "one"), join(workspace, name));
      await call("read_file", { path: "two" });
      const { ok, text } = await call(tool, input("two"));
      assert.ok(ok && text.includes("has 3 names (hard links)"), text);
      for (const name of ["one", "two", "below/three"]) {
        assert.equal(readFileSync(join(workspace, name), "utf8"), "new\n", name);
      }
      assert.equal(statSync(join(workspace, "one")).nlink, 3);
    });

    test("mode and executable bit", async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      for (const mode of [0o755, 0o600, 0o664, 0o4755]) {
        const path = `file-${mode}`;
        write(path, "old\n");
        chmodSync(join(workspace, path), mode);
        await call("read_file", { path });
        assert.ok((await call(tool, input(path))).ok);
        assert.equal(statSync(join(workspace, path)).mode & 0o7777, mode);
      }
    });

    test("owner and group", { skip: process.getuid?.() !== 0 && "only root can give files away" }, async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      for (const [uid, gid] of [
        [1234, 1234],
        [1234, 0],
        [0, 1234],
      ] as const) {
        const path = `file-${uid}-${gid}`;
        write(path, "old\n");
        chownSync(join(workspace, path), uid, gid);
        chmodSync(join(workspace, path), 0o2755);
        await call("read_file", { path });
        assert.ok((await call(tool, input(path))).ok);
        const stats = statSync(join(workspace, path));
        assert.deepEqual([stats.uid, stats.gid, stats.mode & 0o7777], [uid, gid, 0o2755]);
      }
    });

    test("the link that leads to the file", async (context) => {
      const { write, call, workspace } = openWorkshop(context);
      write("real/file", "old\n");
      symlinkSync("real/file", join(workspace, "link"));
      symlinkSync("link", join(workspace, "link-to-link"));
      await call("read_file", { path: "link" });
      assert.ok((await call(tool, input("link-to-link"))).ok);
      assert.ok(lstatSync(join(workspace, "link")).isSymbolicLink());
      assert.equal(readFileSync(join(workspace, "real/file"), "utf8"), "new\n");
    });

    test("one of Deputy's own files, under another name", async (context) => {
      const own = { directories: [] as string[], files: [] as string[] };
      const { write, call, workspace, outside } = openWorkshop(context, { own });
      own.directories.push(join(outside, "state"));
      mkdirSync(join(outside, "state"));
      writeFileSync(join(outside, "state/token"), "old\n");
      linkSync(join(outside, "state/token"), join(workspace, "notes"));
      write("other", "");
      assert.equal((await call(tool, input("notes"))).ok, false);
      assert.equal(readFileSync(join(outside, "state/token"), "utf8"), "old\n");
      assert.deepEqual(readdirSync(workspace), ["notes", "other"]);
    });
  });
}
