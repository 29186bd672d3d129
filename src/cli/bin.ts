#!/usr/bin/env node
/**
 * The executable. It parses on every Node since 18, so that one that is too old is refused in words, not by a syntax
 * error; the program itself is loaded after that, from the compile cache where it can.
 */
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `deputy: needs Node ${NEEDED} or newer, found ${process.versions.node} (${process.execPath}).\n` +
      `Install Node ${NEEDED}, or run it without installing: npx -y -p node@${NEEDED} -p deputize deputy\n`,
  );
  process.exitCode = 3;
} else {
  // In the user's own directory: a shared one (Node's default is under /tmp) could hold another user's code.
  module.enableCompileCache(join(homedir(), ".cache", "deputy", "compile"));
  hushExperimentalWarnings();
  const { main } = await import("./main.ts");
  process.exitCode = await main(process.argv.slice(2));
}

/** `node:sqlite` is still called experimental; the pinned version of it is what our tests run on. */
function hushExperimentalWarnings(): void {
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") for (const listener of listeners) listener(warning);
  });
}
