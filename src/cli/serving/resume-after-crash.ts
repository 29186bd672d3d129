/** Continues a server's runs after it crashed or was killed. */
import type { LoadedConfig } from "../../config/load.ts";
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { doneInWords } from "../../report.ts";
import { setAsideReason } from "../../run/crash-loop.ts";
import { endingsIn, type Run } from "../../run/run.ts";
import { oneLine } from "../terminal/terminal-text.ts";

/**
 * Servers with the same command and config are one server, on any port: a different config may have other keys and
 * permissions. The user's own config has a fixed name; a named or project config is identified by its path.
 */
export function serverName(command: "mcp" | "serve", { files }: Pick<LoadedConfig, "files">): string {
  const own = files.find(({ kind }) => kind !== "user");
  return own === undefined ? command : `${command} ${own.path}`;
}

/** If two servers start at once, each run is continued by one, and the other does not report it. */
export async function resumeAfterCrash(
  engine: Engine,
  server: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await engine.orphanedRuns(server)) {
    if (signal.aborted) return;
    try {
      const found = await engine.run(id);
      const note = setAsideNote(found);
      if (note !== "") {
        say(note.trimEnd());
        continue;
      }
      await engine.resumeAfterCrash(found, server, { answersFromElsewhere: true, signal });
      const { run, owner } = await engine.run(id);
      if (owner === "here") say(`Resuming ${id} after a crash: ${doneIn(run)}.`);
    } catch (error) {
      if (!(error instanceof DeputyError)) throw error;
      if (error.code !== "run-owned") say(`! Cannot resume ${id}: ${error.message}`);
    }
  }
}

/** Says that no server continues a run; empty if one does. */
export function setAsideNote(listing: RunListing): string {
  const reason = setAsideReason(listing);
  return reason === undefined ? "" : `! ${oneLine(reason)}\n`;
}

function doneIn(run: Run): string {
  return doneInWords(endingsIn(run), run.children.length);
}
