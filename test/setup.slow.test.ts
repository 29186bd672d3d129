/** A clone sets itself up: once, one at a time, with a clear error if it cannot. A script acts as npm. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";

const root = join(import.meta.dirname, "..");

/** Installs "Node" after a moment, and records each call. */
const NPM = `#!/bin/sh
echo call >> npm-calls
sleep 0.1
rm -rf node_modules
mkdir -p node_modules/node/bin
ln -s ${process.execPath} node_modules/node/bin/node
`;
const OFFLINE_NPM = `#!/bin/sh
echo "npm error code ENOTFOUND" >&2
exit 1
`;
/** The packages of a lockfile: one that is needed everywhere, one for another platform. */
const LOCKED = {
  "node_modules/a": { integrity: "a1" },
  "node_modules/a-elsewhere": { integrity: "e1", optional: true, os: ["aix"], cpu: ["ppc64"] },
};
/** Acts as the program: prints its location, arguments and input, and exits with 7. */
const PROGRAM = `import { readFileSync } from "node:fs";
process.stdout.write(JSON.stringify([process.cwd(), process.argv.slice(2), readFileSync(0, "utf8")]));
process.exitCode = 7;
`;

describe("a fresh clone", () => {
  let folder = "";
  let clone = "";
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), "deputy-clone-")));
    clone = join(folder, "clone");
    for (const path of ["scripts/setup.mjs", "bin/deputy"]) cpSync(join(root, path), join(clone, path));
    writeFileSync(join(clone, "bin", "deputy.mjs"), PROGRAM);
    writeFileSync(join(clone, "package-lock.json"), "{}");
    installNpm(NPM);
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  test("sets up at the first command and not at the second", async () => {
    const first = await run(join(clone, "bin", "deputy"));
    assert.match(first.stderr, /^deputy: Setting up, once/);
    const second = await run(join(clone, "bin", "deputy"));
    assert.equal(second.stderr, "");
    assert.equal(npmCalls(), 1);
  });

  test("sets up anew when the lockfile has changed", async () => {
    await run(join(clone, "bin", "deputy"));
    writeFileSync(join(clone, "package-lock.json"), '{ "changed": true }');
    await run(join(clone, "bin", "deputy"));
    assert.equal(npmCalls(), 2);
  });

  test("recognizes an install that npm finished by hand", async () => {
    installByHand({ "node_modules/a": { integrity: "a1" } });
    const { code, stderr } = await run(join(clone, "bin", "deputy"));
    assert.deepEqual([code, stderr], [7, ""]);
    assert.ok(!existsSync(join(clone, "npm-calls")));
  });

  test("installs again where an install by hand is of another lockfile, is unfinished, or lacks what is needed", async () => {
    const needed = { optional: true, os: [process.platform], cpu: [process.arch] };
    const unlike: Record<string, object | undefined>[] = [
      { "node_modules/a": { integrity: "a2" } },
      { "node_modules/a": { integrity: "a1" }, "node_modules/b": { integrity: "b1" } },
      {},
    ];
    for (const [index, installed] of unlike.entries()) {
      installByHand(installed, index === 2 ? { "node_modules/c": needed } : undefined);
      assert.match((await run(join(clone, "bin", "deputy"))).stderr, /^deputy: Setting up, once/);
    }
    assert.equal(npmCalls(), 3);
  });

  test("is set up once by commands that start at the same time", async () => {
    const endings = await Promise.all([1, 2, 3, 4].map(() => run(join(clone, "bin", "deputy"))));
    assert.deepEqual(
      endings.map(({ code }) => code),
      [7, 7, 7, 7],
    );
    assert.equal(npmCalls(), 1);
  });

  test("is not held up by the lock of a set-up that was killed", async () => {
    const dead = spawn(process.execPath, ["-e", "0"]);
    await new Promise((resolve) => dead.on("exit", resolve));
    writeFileSync(join(clone, ".setup-lock"), String(dead.pid));
    assert.equal((await run(join(clone, "bin", "deputy"))).code, 7);
    assert.ok(!existsSync(join(clone, ".setup-lock")));
  });

  test("explains what to do if npm cannot reach its registry, and starts nothing", async () => {
    installNpm(OFFLINE_NPM);
    const { code, stdout, stderr } = await run(join(clone, "bin", "deputy"));
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(stderr, /could not reach its registry.*run this again/);
  });

  test("runs the program by a link, with its arguments, input, directory and exit code", async () => {
    const elsewhere = join(clone, "else where");
    mkdirSync(elsewhere);
    symlinkSync("../bin/deputy", join(elsewhere, "link"));
    const { code, stdout } = await run("./link", { cwd: elsewhere, args: ["run", "a b", "$x"], input: "tasks" });
    assert.equal(code, 7);
    assert.deepEqual(JSON.parse(stdout), [elsewhere, ["run", "a b", "$x"], "tasks"]);
  });

  test("runs the pinned Node with the given arguments and ends as it ends", async () => {
    const setup = join(clone, "scripts", "setup.mjs");
    const { code, stdout } = await run(process.execPath, { args: [setup, "-e", "console.log('hi'); process.exit(4)"] });
    assert.deepEqual([code, stdout], [4, "hi\n"]);
  });

  /** As `npm ci` leaves it: a Node, and the list of what was installed. One package of the lockfile is for others. */
  function installByHand(installed: Record<string, unknown>, locked: Record<string, unknown> = LOCKED): void {
    rmSync(join(clone, "node_modules"), { recursive: true, force: true });
    mkdirSync(join(clone, "node_modules", "node", "bin"), { recursive: true });
    symlinkSync(process.execPath, join(clone, "node_modules", "node", "bin", "node"));
    writeFileSync(join(clone, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...locked } }));
    writeFileSync(join(clone, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
  }

  function installNpm(script: string): void {
    const npm = join(folder, "npm");
    writeFileSync(npm, script);
    chmodSync(npm, 0o755);
  }

  function npmCalls(): number {
    return readFileSync(join(clone, "npm-calls"), "utf8").trim().split("\n").length;
  }

  /** Runs a program with our npm first on the PATH. */
  function run(
    program: string,
    { args = [], cwd = tmpdir(), input = "" }: { args?: string[]; cwd?: string; input?: string } = {},
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const env = { PATH: `${folder}:${process.env.PATH}` };
    const child = spawn(program, args, { cwd, env });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (bytes) => (stdout += bytes));
    child.stderr.on("data", (bytes) => (stderr += bytes));
    child.stdin.end(input);
    return new Promise((resolve, reject) => {
      child.on("error", reject);
      child.on("close", (code) => resolve({ code, stdout, stderr }));
    });
  }
});
