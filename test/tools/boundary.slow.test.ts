/**
 * No file or search tool reads, lists, searches or writes anything outside the workspace: not by any path, not by any
 * link, not by a link that is created at the worst moment.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import fc from "fast-check";
import { bindPaths } from "../../src/system/bound-paths.ts";
import { openWorkshop, type Workshop } from "./workshop.ts";

const SECRET = "what only outsiders know";
const HIDDEN_NAME = "name-only-outsiders-know";

/** Outside: two files and a directory. Inside: files, directories and every kind of link. */
function furnish({ outside, workspace, write }: Workshop): void {
  mkdirSync(join(outside, "deep"));
  for (const path of ["secret", "deep/secret", HIDDEN_NAME]) writeFileSync(join(outside, path), SECRET);
  write("file", "inside");
  write("directory/file", "inside");
  const links: Record<string, string> = {
    in: "directory",
    "file-in": "file",
    out: "../outside",
    absolute: outside,
    up: "..",
    "file-out": "../outside/secret",
    chain: "out",
    dangling: "../outside/new",
    "dangling-in": "new",
    loop: "loop",
    "directory/up": "../../outside",
    root: "/",
  };
  for (const [name, target] of Object.entries(links)) symlinkSync(target, join(workspace, name));
}

/** Every path under a directory with its content or kind; links are not followed. */
function snapshot(directory: string): string[] {
  const paths = readdirSync(directory, { recursive: true, encoding: "utf8" }).sort();
  return paths.map((path) => {
    const stats = lstatSync(join(directory, path));
    return `${path} ${stats.mode} ${stats.isFile() ? readFileSync(join(directory, path), "utf8") : ""}`;
  });
}

const NAMES = (
  "file directory in out absolute up chain dangling dangling-in loop root file-in file-out secret deep outside " +
  "workspace new tmp etc . .. ~ ..."
).split(" ");

const CALLS: Record<string, (path: string) => object> = {
  read_file: (path) => ({ path }),
  write_file: (path) => ({ path, content: "written" }),
  edit_file: (path) => ({ path, old_string: "i", new_string: "edited" }),
  list_dir: (path) => ({ path }),
  glob: (path) => ({ path, pattern: "*" }),
  grep: (path) => ({ path, pattern: "only" }),
};

describe("the boundary of the workspace", () => {
  test("holds for paths of any shape", async (context) => {
    const path = fc
      .tuple(
        fc.constantFrom("", "", "", "./", "/", "//", "OUTSIDE/", "WORKSPACE/"),
        fc.array(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 5 }),
        fc.constantFrom("", "", "/", "/."),
      )
      .map(([start, names, end]) => `${start}${names.join("/")}${end}`);
    const workshop = openWorkshop(context);
    furnish(workshop);
    const before = snapshot(workshop.outside);
    await fc.assert(
      fc.asyncProperty(path, fc.constantFrom(...Object.keys(CALLS)), async (shape, name) => {
        const named = shape.replace("OUTSIDE", workshop.outside).replace("WORKSPACE", workshop.workspace);
        const { text, filesChanged = [] } = await workshop.call(name, CALLS[name]?.(named));
        assert.ok(!text.includes(SECRET) && !text.includes(HIDDEN_NAME), text);
        assert.ok(!filesChanged.some((changed) => /^(\/|\.\.(\/|$))/.test(changed)));
      }),
      { numRuns: 1_500 },
    );
    assert.deepEqual(snapshot(workshop.outside), before);
    assert.deepEqual(readdirSync(workshop.base).sort(), ["outside", "workspace"]);
  });

  test("is reported with a message, and names the reachable directories", async (context) => {
    const workshop = openWorkshop(context, { extraDirs: ["/usr/share/dict-of-nobody"] });
    furnish(workshop);
    for (const path of ["../outside/secret", "out/secret", "file-out", "/etc/passwd", "directory/up/deep/secret"]) {
      const { ok, text } = await workshop.call("read_file", { path });
      assert.equal(ok, false);
      assert.match(text, /leads out of the workspace\. Within reach: the workspace/);
    }
    assert.match((await workshop.call("write_file", { path: "dangling", content: "" })).text, /a link to something/);
    assert.match((await workshop.call("read_file", { path: "loop" })).text, /too many symbolic links/);
  });

  test("holds while a directory and a link to the outside change places all the time", async (context) => {
    const workshop = openWorkshop(context);
    const { workspace, outside, write, call } = workshop;
    writeFileSync(join(outside, "file"), SECRET);
    write("swapped/file", "inside");
    write("swapped/deep/file", "inside");
    symlinkSync(outside, join(workspace, "link"));
    const before = snapshot(outside);
    const swapping =
      'const { renameSync } = require("node:fs"); for (;;) { renameSync("swapped", "kept"); renameSync("link", ' +
      '"swapped"); renameSync("swapped", "link"); renameSync("kept", "swapped"); }';
    const swapper = spawn(process.execPath, ["-e", swapping], { cwd: workspace, stdio: "ignore" });
    await once(swapper, "spawn");
    const seen = { ok: 0, refused: 0 };
    try {
      for (const deadline = Date.now() + 2_500; Date.now() < deadline; ) {
        for (const [name, path] of [
          ["read_file", "swapped/file"],
          ["write_file", "swapped/new"],
          ["write_file", "swapped/new/directory/new"],
          ["edit_file", "swapped/file"],
          ["list_dir", "swapped"],
        ] as const) {
          const { ok, text } = await call(name, CALLS[name]?.(path));
          seen[ok ? "ok" : "refused"] += 1;
          assert.ok(!text.includes(SECRET), text);
        }
      }
    } finally {
      swapper.kill("SIGKILL");
      await once(swapper, "exit");
    }
    assert.deepEqual(snapshot(outside), before);
    assert.ok(seen.ok > 20 && seen.refused > 20, JSON.stringify(seen));
  });

  test("includes the operator's extra directories, links into them too", async (context) => {
    const workshop = openWorkshop(context);
    const extra = join(workshop.base, "extra");
    mkdirSync(extra);
    symlinkSync(extra, join(workshop.base, "extra-link"));
    const wider = openWorkshop(context, {
      workspace: workshop.workspace,
      extraDirs: [join(workshop.base, "extra-link")],
    });
    symlinkSync(extra, join(workshop.workspace, "link"));
    const written = await wider.call("write_file", { path: join(extra, "a.txt"), content: "needle" });
    assert.deepEqual(written.filesChanged, [join(extra, "a.txt")]);
    assert.equal((await wider.call("read_file", { path: "link/a.txt" })).text, "1\tneedle");
    assert.equal((await wider.call("glob", { path: extra, pattern: "*.txt" })).text, join(extra, "a.txt"));
    assert.equal(
      (await wider.call("grep", { path: extra, pattern: "need" })).text,
      `${join(extra, "a.txt")}:1: needle`,
    );
    assert.equal((await workshop.call("read_file", { path: "link/a.txt" })).ok, false);
  });

  test("keeps pipes, devices and sockets out: nothing hangs", async (context) => {
    const { workspace, call } = openWorkshop(context);
    spawnSync("/bin/sh", ["-c", 'mkfifo "$0"', join(workspace, "pipe")]);
    const server = createServer().listen(join(workspace, "socket"));
    await once(server, "listening");
    context.after(() => server.close());
    for (const path of ["pipe", "socket"]) {
      for (const name of ["read_file", "write_file", "edit_file", "grep"]) {
        const { ok, text } = await call(name, CALLS[name]?.(path));
        assert.equal(ok, false);
        assert.match(text, /not a regular file|neither a file nor a directory/);
      }
    }
    assert.equal((await call("list_dir", {})).text.match(/device, pipe or socket/g)?.length, 2);
    assert.equal((await call("grep", { pattern: "x" })).text, "No matches.");
  });

  test("refuses what cannot be a path, in words", async (context) => {
    const { call } = openWorkshop(context);
    const words = async (path: string) => (await call("write_file", { path, content: "" })).text;
    assert.match(await words("a\0b"), /NUL byte/);
    assert.match(await words(`${"ü".repeat(128)}`), /at most 255 bytes/);
    assert.match(await words("a/".repeat(2_500)), /at most 4095 bytes/);
  });

  test("shows rules and users where a path really leads", (context) => {
    const workshop = openWorkshop(context);
    furnish(workshop);
    const target = (path: string) => workshop.target("write_file", { path, content: "" });
    assert.equal(target("./in/../in/new"), "directory/new");
    assert.equal(target(join(workshop.workspace, "file-in")), "file");
    assert.equal(target("../outside/secret"), "../outside/secret");
    assert.equal(workshop.target("list_dir", {}), ".");
  });
});

describe("a workspace that leads elsewhere than when its child was planned", () => {
  const COMMAND = { command: "cat secret; echo changed > changed" };
  const everyCall = (path: string): [string, object][] => [
    ...Object.entries(CALLS).map(([name, inputOf]): [string, object] => [name, inputOf(path)]),
    ["terminal", COMMAND],
  ];

  const SWAPPED: Record<string, (workshop: Workshop, workspace: string) => void> = {
    "a link to the outside is put in its place": ({ outside }, workspace) => {
      rmSync(workspace, { recursive: true });
      symlinkSync(outside, workspace);
    },
    "a link is put in the place of the directory above it": ({ base, outside }) => {
      renameSync(join(base, "workspace"), join(base, "away"));
      mkdirSync(join(outside, "below"));
      writeFileSync(join(outside, "below", "secret"), SECRET);
      symlinkSync(outside, join(base, "workspace"));
    },
    "the link that it was points elsewhere": ({ base, outside }, workspace) => {
      assert.equal(workspace, join(base, "link"));
      rmSync(workspace);
      symlinkSync(outside, workspace);
    },
  };
  for (const [what, swap] of Object.entries(SWAPPED))
    test(`is out of reach of every tool where ${what}`, async (context) => {
      const place = openWorkshop(context);
      furnish(place);
      mkdirSync(join(place.workspace, "below"));
      symlinkSync(place.workspace, join(place.base, "link"));
      const workspace = join(place.base, what.startsWith("the link") ? "link" : "workspace/below");
      const workshop = openWorkshop(context, {
        workspace,
        realPaths: bindPaths([workspace]),
      });
      swap(place, workspace);
      const before = snapshot(place.outside);
      for (const path of ["secret", ".", "new"])
        for (const [name, input] of everyCall(path)) {
          const { ok, text } = await workshop.call(name, input);
          assert.equal(ok, false, `${name} ${path}: ${text}`);
          assert.ok(!text.includes(SECRET) && !text.includes(HIDDEN_NAME), `${name} ${path}: ${text}`);
          assert.match(
            text,
            /^Expected the workspace .* to be the directory .* leads to another one now\. Put it back\.$/,
          );
        }
      assert.deepEqual(snapshot(place.outside), before);
    });

  test("holds for an extra directory alone: the workspace stays in reach", async (context) => {
    const place = openWorkshop(context);
    furnish(place);
    const extra = join(place.base, "extra");
    mkdirSync(extra);
    writeFileSync(join(extra, "note"), "from the extra directory");
    const workshop = openWorkshop(context, {
      workspace: place.workspace,
      extraDirs: [extra],
      realPaths: bindPaths([place.workspace, extra]),
    });
    assert.match((await workshop.call("read_file", { path: join(extra, "note") })).text, /from the extra directory/);
    rmSync(extra, { recursive: true });
    symlinkSync(place.outside, extra);
    for (const [name, inputOf] of Object.entries(CALLS)) {
      const { ok, text } = await workshop.call(name, inputOf(join(extra, "secret")));
      assert.ok(!ok && /leads out of the workspace/.test(text), `${name}: ${text}`);
    }
    assert.ok((await workshop.call("read_file", { path: "file" })).ok);
  });

  test("differs from one that always was a link, and from one that was created again in its place", async (context) => {
    const place = openWorkshop(context);
    furnish(place);
    const link = join(place.base, "link");
    symlinkSync(place.workspace, link);
    const workshop = openWorkshop(context, { workspace: link, realPaths: bindPaths([link]) });
    const reads = async (path: string) => assert.match((await workshop.call("read_file", { path })).text, /inside/);
    await reads("file");
    await reads(join(link, "file"));
    await reads(join(place.workspace, "file"));
    rmSync(place.workspace, { recursive: true });
    place.write("file", "inside again");
    await reads("file");
    assert.match((await workshop.call("terminal", { command: "cat file" })).text, /inside again/);
    assert.match((await workshop.call("grep", { pattern: "inside" })).text, /file:1: inside again/);
  });
});
