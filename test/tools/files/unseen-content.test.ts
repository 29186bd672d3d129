/** A whole-file write replaces only content that the child has seen. */
import assert from "node:assert/strict";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { openWorkshop } from "../workshop.ts";

describe("a whole-file write", () => {
  test("is refused where somebody changed the file after the child knew it", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    const ways = {
      "read.md": () => call("read_file", { path: "read.md" }),
      "written.md": () => call("write_file", { path: "written.md", content: "first\n" }),
      "edited.md": async () => {
        await call("read_file", { path: "edited.md" });
        await call("edit_file", { path: "edited.md", old_string: "first", new_string: "second" });
      },
    };
    for (const [path, getToKnow] of Object.entries(ways)) {
      if (path !== "written.md") write(path, "first\n");
      await getToKnow();
      write(path, "somebody's\n");
      const { ok, text } = await call("write_file", { path, content: "mine\n" });
      assert.ok(!ok && text.includes("has changed since you last read or wrote it"), text);
      assert.equal(readFileSync(join(workspace, path), "utf8"), "somebody's\n");
    }
  });

  test("is refused where the child edited a file that had changed, without reading it", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("plan.md", "first\n");
    await call("read_file", { path: "plan.md" });
    write("plan.md", "first\nsomebody's\n");
    assert.ok((await call("edit_file", { path: "plan.md", old_string: "first", new_string: "1st" })).ok);
    assert.equal((await call("write_file", { path: "plan.md", content: "mine\n" })).ok, false);
    assert.equal(readFileSync(join(workspace, "plan.md"), "utf8"), "1st\nsomebody's\n");
  });

  test("is refused over a file the child has not read, or only found with grep", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("plan.md", "first\n");
    await call("list_dir", {});
    const { ok, text } = await call("write_file", { path: "plan.md", content: "mine\n" });
    assert.ok(!ok && text.includes("you have not read it") && text.includes("edit a part of it"), text);
    assert.equal(readFileSync(join(workspace, "plan.md"), "utf8"), "first\n");
  });

  test("is refused where the child has read only a part", async (context) => {
    const { write, call } = openWorkshop(context);
    write("long.txt", "line\n".repeat(30));
    const refused = async () => (await call("write_file", { path: "long.txt", content: "mine\n" })).text;
    await call("read_file", { path: "long.txt", limit: 10 });
    assert.match(await refused(), /You have read only a part of long\.txt/);
    await call("read_file", { path: "long.txt", offset: 21 });
    assert.match(await refused(), /You have read only a part/);
    write("wide.txt", `${"word ".repeat(1000)}\n`);
    await call("read_file", { path: "wide.txt" });
    assert.match((await call("write_file", { path: "wide.txt", content: "x" })).text, /only a part/);
  });

  test("is refused where a key was taken out of what the child read", async (context) => {
    const redact = (text: string) => text.replaceAll("the-key", "[key]");
    const { write, call, workspace } = openWorkshop(context, { redact });
    write(".settings", "key: the-key\n");
    await call("read_file", { path: ".settings" });
    assert.equal((await call("write_file", { path: ".settings", content: "key: [key]\n" })).ok, false);
    assert.equal(readFileSync(join(workspace, ".settings"), "utf8"), "key: the-key\n");
  });

  test("follows the name: a file moved into its place is not the one that was read", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.md", "a\n");
    write("b.md", "b\n");
    await call("read_file", { path: "a.md" });
    renameSync(join(workspace, "b.md"), join(workspace, "a.md"));
    assert.equal((await call("write_file", { path: "a.md", content: "mine\n" })).ok, false);
    assert.equal(readFileSync(join(workspace, "a.md"), "utf8"), "b\n");
  });

  test("creates a file that was deleted since, and says so", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    write("a.md", "a\n");
    await call("read_file", { path: "a.md" });
    rmSync(join(workspace, "a.md"));
    assert.match((await call("write_file", { path: "a.md", content: "mine\n" })).text, /^Created .* had been deleted/);
  });

  test("goes on after the child's own changes, a whole read in pieces, and a touch that changes nothing", async (context) => {
    const { write, call, workspace } = openWorkshop(context);
    assert.ok((await call("write_file", { path: "a.md", content: "1\n" })).ok);
    assert.ok((await call("edit_file", { path: "a.md", old_string: "1", new_string: "2" })).ok);
    assert.ok((await call("write_file", { path: "a.md", content: "3\n" })).ok);
    write("a.md", "3\n");
    assert.ok((await call("write_file", { path: "./a.md", content: "4\n" })).ok);
    write("long.txt", "line\n".repeat(30));
    for (const offset of [1, 11, 21]) await call("read_file", { path: "long.txt", offset, limit: 10 });
    assert.ok((await call("write_file", { path: "long.txt", content: "mine\n" })).ok);
    assert.equal(readFileSync(join(workspace, "long.txt"), "utf8"), "mine\n");
  });

  test("fills an empty file, and repeats what the file has already", async (context) => {
    const { write, call } = openWorkshop(context);
    write("empty", "");
    write("same", "different\n");
    await call("read_file", { path: "same" });
    write("same", "same\n");
    assert.ok((await call("write_file", { path: "empty", content: "x" })).ok);
    assert.match((await call("write_file", { path: "same", content: "same\n" })).text, /has this content already/);
  });
});
