/** Processes: a failure to start is always an error that can be caught. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { shortageIn } from "../../src/system/shortage.ts";
import { startProcess } from "../../src/system/start-process.ts";

test("a program that runs is given when it runs", async () => {
  const child = await startProcess("/bin/sh", ["-c", "exit 7"], { stdio: "ignore" });
  assert.deepEqual(await once(child, "exit"), [7, null]);
});

test("a program that is not there, cannot be run, or has no directory to run in is refused", async () => {
  const noShortage = (error: NodeJS.ErrnoException) => shortageIn(error) === undefined && error.code !== undefined;
  await assert.rejects(startProcess("/nowhere/program", [], {}), noShortage);
  await assert.rejects(startProcess("/etc", [], {}), noShortage);
  await assert.rejects(startProcess("/bin/sh", [], { cwd: "/nowhere" }), noShortage);
});

test("an error after the start, as an abort is, does not end this process", async () => {
  const stop = new AbortController();
  const child = await startProcess("/bin/sh", ["-c", "read _"], { signal: stop.signal });
  stop.abort();
  assert.deepEqual(await once(child, "close"), [null, "SIGTERM"]);
});

test("a shortage is explained; another error, or a value that is not an error, is not", () => {
  for (const code of ["EMFILE", "ENFILE", "EAGAIN", "ENOMEM"]) {
    const words = shortageIn(Object.assign(new Error("refused"), { code }));
    assert.match(words ?? "", new RegExp(`Ask for less at once, and try again\\. .*\\(${code}\\)$`));
  }
  for (const other of [Object.assign(new Error("no"), { code: "ENOENT" }), new Error("no"), "EMFILE", undefined])
    assert.equal(shortageIn(other), undefined);
});
