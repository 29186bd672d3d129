#!/usr/bin/env node
// The executable: in the package it loads the built program; in a clone, bin/deputy runs it on the source. Plain
// JavaScript that any Node since 18 parses, so that an older one gets a clear error, and so that the compile cache is
// on before the first TypeScript file is read.
import { existsSync } from "node:fs";
import module from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

const NEEDED = 24;

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  process.stderr.write(
    `deputy: needs Node ${NEEDED} or newer, found ${process.versions.node} (${process.execPath}).\n` +
      `Install Node ${NEEDED}. In a clone, bin/deputy brings its own.\n`,
  );
  process.exitCode = 3;
} else {
  // In the user's own directory: Node's default is shared, and could contain another user's code.
  module.enableCompileCache(join(homedir(), ".cache", "deputy", "compile"));
  hushExperimentalWarnings();
  const source = new URL("../src/cli/process.ts", import.meta.url);
  try {
    const { runProcess } = await import(existsSync(source) ? source.href : "../dist/cli/process.js");
    await runProcess(process.argv.slice(2));
  } catch (error) {
    if (!["EMFILE", "ENFILE", "ENOMEM"].includes(error.code)) throw error;
    process.stderr.write(
      `deputy: cannot start: ${error.message}\nRaise the limit (ulimit -n) or end other programs.\n`,
    );
    process.exitCode = 3;
  }
}

/** `node:sqlite` still calls itself experimental; our tests check the behavior that we need. */
function hushExperimentalWarnings() {
  const listeners = process.listeners("warning");
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") for (const listener of listeners) listener(warning);
  });
}
