/** What a server was at work on when it crashed or was killed: its next process goes on with it. */
import type { LoadedConfig } from "../../config/load.ts";
import type { Engine, RunListing } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { setAsideReason } from "../../run/crash-loop.ts";
import { hasEnded, type Run } from "../../run/run.ts";
import { plural } from "../terminal/format.ts";
import { oneLine } from "../terminal/terminal-text.ts";

/**
 * Servers of one config are one server, whatever their port: another one may have other keys and permissions. Every user
 * has one config of their own; one that is named or a project's is told by its path.
 */
export function serverName({ files }: Pick<LoadedConfig, "files">): string {
  const own = files.find(({ kind }) => kind !== "user");
  return own === undefined ? "serve" : `serve ${own.path}`;
}

/** Of two servers that come at once, one has each run, and the other says nothing of it. */
export async function resumeAfterCrash(
  engine: Engine,
  server: string,
  say: (text: string) => void,
  signal: AbortSignal,
): Promise<void> {
  for (const id of await engine.orphanedRuns(server)) {
    if (signal.aborted) return;
    try {
      const note = setAsideNote(await engine.run(id));
      if (note !== "") {
        say(note.trimEnd());
        continue;
      }
      await engine.resumeAfterCrash(id, server, { answersFromElsewhere: true, signal });
      const { run, owner } = await engine.run(id);
      if (owner === "here") say(`Going on with ${id}, which a crash had cut off: ${doneIn(run)}.`);
    } catch (error) {
      if (!(error instanceof DeputyError)) throw error;
      if (error.code !== "run-owned") say(`! Cannot resume ${id}: ${error.message}`);
    }
  }
}

/** The line that says that no server goes on with a run; empty where one does. */
export function setAsideNote(listing: RunListing): string {
  const reason = setAsideReason(listing);
  return reason === undefined ? "" : `! ${oneLine(reason)}\n`;
}

function doneIn({ children }: Run): string {
  return `${children.filter(hasEnded).length} of ${plural(children.length, "task")} done`;
}
