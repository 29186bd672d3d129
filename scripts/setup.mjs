// Sets up a clone, once: installs the packages in package-lock.json, including the pinned Node. Plain JavaScript for any
// Node ≥ 18, because it runs before anything is installed. The stamp of a finished install is a copy of the lockfile
// inside node_modules: removing node_modules or changing the lockfile invalidates it. A manual `npm ci` leaves no stamp;
// npm's own list of what it installed shows that the install is finished, and the stamp is added then.
//
//   node scripts/setup.mjs                   sets up if needed; otherwise prints nothing
//   node scripts/setup.mjs ARGUMENT…         sets up, then runs the pinned Node with these arguments
import { spawn } from "node:child_process";
import { copyFileSync, existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, "package-lock.json");
const stamp = join(root, "node_modules", ".setup-stamp");
/** npm's record of what it installed, in the form of a lockfile. npm writes it last. */
const installedList = join(root, "node_modules", ".package-lock.json");
const pinnedNode = join(root, "node_modules", "node", "bin", "node");
const lock = join(root, ".setup-lock");

try {
  if (!isSetUp()) await setUpAlone();
} catch (error) {
  say(`Set-up failed: ${error.message}`);
  process.exit(3);
}
if (process.argv.length > 2) await runPinned(process.argv.slice(2));

function isSetUp() {
  if (!existsSync(pinnedNode)) return false;
  if (existsSync(stamp) && readFileSync(stamp).equals(readFileSync(lockfile))) return true;
  if (!isInstalled()) return false;
  try {
    copyFileSync(lockfile, stamp);
  } catch {
    // The clone belongs to someone else: check again next time.
  }
  return true;
}

/**
 * Returns whether npm has installed exactly the packages in the lockfile that this platform needs, in their versions.
 */
function isInstalled() {
  try {
    const wanted = JSON.parse(readFileSync(lockfile, "utf8")).packages;
    const installed = JSON.parse(readFileSync(installedList, "utf8")).packages;
    const isSame = (path) => wanted[path]?.integrity === installed[path].integrity;
    const isThere = (path) => path === "" || path in installed || isForOthers(wanted[path]);
    return Object.keys(installed).every(isSame) && Object.keys(wanted).every(isThere);
  } catch {
    return false; // Missing, or not npm's: install.
  }
}

/** npm skips optional packages for other platforms, and packages that only those need. */
function isForOthers({ optional, os, cpu, libc }) {
  const isForThis = os?.includes(process.platform) && cpu?.includes(process.arch) && libc === undefined;
  return optional === true && !isForThis;
}

/** Installs under a lock, so that two concurrent commands install once; the second one waits for the first. */
async function setUpAlone() {
  await acquireLock();
  try {
    if (!isSetUp()) await setUp();
  } finally {
    rmSync(lock, { force: true });
  }
}

async function setUp() {
  say("Setting up, once: npm ci (about 230 packages, the pinned Node among them) …");
  const startedAt = Date.now();
  const { code, output } = await runNpm();
  if (code !== 0) throw new Error(`npm ci ended with exit code ${code}.\n${lastLines(output)}\n${advice(output)}`);
  if (!existsSync(pinnedNode)) {
    throw new Error(
      "npm ci ended well but left no Node in node_modules/node. Expected: the install script of the package `node` " +
        "(named in allowScripts) to fetch it.\nnpm's setting `ignore-scripts` prevents that; try: " +
        "npm ci --ignore-scripts=false",
    );
  }
  copyFileSync(lockfile, stamp);
  say(`Set up in ${Math.round((Date.now() - startedAt) / 1000)} s.`);
}

/**
 * Runs `npm ci` and keeps its output in case it fails. The machine's own Node runs it, because the pinned one may be
 * removed.
 */
function runNpm() {
  const ownPath = (process.env.PATH ?? "").split(delimiter).filter((folder) => !folder.startsWith(root));
  const npm = spawn(
    "npm",
    ["ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund", "--loglevel=error"],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, PATH: ownPath.join(delimiter), NODE_ENV: "development" },
    },
  );
  writeLock([process.pid, npm.pid ?? process.pid]);
  let output = "";
  for (const stream of [npm.stdout, npm.stderr]) stream?.on("data", (bytes) => (output += bytes));
  return new Promise((resolve) => {
    npm.on("error", (error) => resolve({ code: 1, output: String(error) }));
    npm.on("close", (code) => resolve({ code, output }));
  });
}

function lastLines(output) {
  return output.trim().split("\n").slice(-15).join("\n");
}

function advice(output) {
  if (/spawn npm ENOENT/.test(output)) {
    return "Expected npm on the PATH, found none. Install Node with npm (version 18 or newer), then run this again.";
  }
  if (/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED/.test(output)) {
    return "npm could not reach its registry. Go online (or check npm's `registry` and `proxy`), then run this again.";
  }
  if (/ENOSPC/.test(output)) return "The disk is full: about 450 MB are needed. Make room, then run this again.";
  return "Nothing is half done: run this again, or `npm ci` by hand to see all of npm's words.";
}

/**
 * The lock is a file that names its owners, created atomically: this process and, once it runs, its npm, which may
 * outlive it. It is removed when all of them are dead.
 */
async function acquireLock() {
  const mine = `${lock}.${process.pid}`;
  try {
    writeFileSync(mine, String(process.pid));
    for (let waited = false; !linked(mine); waited = true) {
      if (!isHeld(lock)) removeDeadLock();
      else {
        if (!waited) say("Another process is setting up this clone; waiting for it …");
        await sleep(200);
      }
    }
  } catch (error) {
    throw new Error(`cannot write to ${root}: ${error.message}\nThe set-up needs a clone that you may write to.`);
  } finally {
    rmSync(mine, { force: true });
  }
}

function linked(mine) {
  try {
    linkSync(mine, lock);
    return true;
  } catch (error) {
    if (error.code === "EEXIST") return false;
    throw error;
  }
}

function writeLock(pids) {
  const mine = `${lock}.${process.pid}`;
  writeFileSync(mine, pids.join(" "));
  renameSync(mine, lock);
}

function isHeld(path) {
  try {
    return readFileSync(path, "utf8").split(" ").map(Number).some(isAlive);
  } catch (error) {
    if (error.code === "ENOENT") return false;
    throw error;
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Moves the lock aside first, and restores it if a live process has acquired it since. */
function removeDeadLock() {
  const aside = `${lock}.dead.${process.pid}`;
  try {
    renameSync(lock, aside);
    if (isHeld(aside)) linked(aside);
    rmSync(aside, { force: true });
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
  }
}

/** Replaces this process with the pinned Node, as far as possible: its streams, its signals, its exit code. */
async function runPinned(args) {
  // Caches type stripping of hundreds of source files for all test processes.
  const env = { NODE_COMPILE_CACHE: join(root, "node_modules", ".cache", "compile"), ...process.env };
  const child = spawn(pinnedNode, args, { stdio: "inherit", env });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.on(signal, () => signal !== "SIGINT" && child.kill(signal)); // The terminal interrupts the whole group.
  }
  const [code, signal] = await new Promise((resolve) => {
    child.on("error", (error) => {
      say(`The pinned Node cannot be run: ${error.message}`);
      resolve([3]);
    });
    child.on("exit", (...ending) => resolve(ending));
  });
  process.exit(code ?? 128 + constants.signals[signal]);
}

function say(words) {
  process.stderr.write(`deputy: ${words}\n`);
}
