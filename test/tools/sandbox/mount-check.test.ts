import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { wronglyMounted } from "../../../src/tools/sandbox/mount-check.ts";
import type { Mount } from "../../../src/tools/sandbox/mounts.ts";

const OUTSIDE = `
22 1 8:1 / / rw - ext4 /dev/a rw
23 22 8:2 / /home rw - ext4 /dev/b rw
24 23 0:40 /sub /home/u/with\\040blank rw - btrfs /dev/c rw
`;
const line = (device: string, root: string, point: string) => `90 80 ${device} ${root} ${point} ro - ext4 x rw`;
const at = (kind: "read" | "write" | "private", path: string): Mount => ({ kind, path });

describe("a mount", () => {
  test("that shows the same directory as outside is right", () => {
    const inside = [
      line("8:1", "/usr", "/usr"),
      line("8:2", "/u/project", "/home/u/project"),
      line("0:40", "/sub/x", "/home/u/with\\040blank/x"),
    ].join("\n");
    const mounts = [at("read", "/usr"), at("write", "/home/u/project"), at("read", "/home/u/with blank/x")];
    assert.equal(wronglyMounted(mounts, OUTSIDE, inside), undefined);
  });

  test("that a link has led elsewhere is wrong", () => {
    const mounts = [at("write", "/home/u/project/sub")];
    assert.equal(wronglyMounted(mounts, OUTSIDE, line("8:2", "/u/.ssh", "/home/u/project/sub")), "/home/u/project/sub");
    assert.equal(
      wronglyMounted(mounts, OUTSIDE, line("8:1", "/u/project/sub", "/home/u/project/sub")),
      mounts[0]?.path,
    );
  });

  test("that is missing in its place is wrong, also where nothing is to be seen", () => {
    assert.equal(wronglyMounted([at("private", "/home/u/.config/deputy")], OUTSIDE, ""), "/home/u/.config/deputy");
  });

  test("counts as it is on top of an earlier one", () => {
    const mounts = [at("read", "/home/u"), at("private", "/home/u")];
    assert.equal(wronglyMounted(mounts, OUTSIDE, line("0:99", "/", "/home/u")), undefined);
  });
});
