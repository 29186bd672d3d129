/** Runs the commands of one child, also in the background, each with its processes in a session of its own. */
import { randomBytes } from "node:crypto";
import type {
  BackgroundCommand,
  CommandExecutor,
  CommandShell,
  ShellCommand,
  ShellEnd,
} from "../../command-executor.ts";
import { settlesWithin } from "../../values/settles-within.ts";
import { ToolError, toolErrorText } from "../tool-error.ts";
import { createCommandOutput } from "./command-output.ts";
import { runInShell } from "./shell.ts";

/** Commands that may run in the background at a time, and those kept after their end for their output. */
const MOST_RUNNING = 8;
const MOST_ENDED = 16;
/** A command that has printed something and then nothing for this long has said what it has to say for now. */
const QUIET_MS = 500;

/** As a shell reports a command that it cannot run. */
const NOT_STARTED = 126;

/** On this machine, as the user. */
const OUTSIDE: CommandShell = { run: runInShell, close: async () => {} };

/**
 * @param shell runs the commands
 * @param before ids of background commands that earlier executors of the child ran
 */
export function createCommandExecutor(
  shell: CommandShell = OUTSIDE,
  before: ReadonlySet<string> = new Set(),
): CommandExecutor {
  /** Distinguishes this executor's commands from those of an earlier one of the child. */
  let tag: string | undefined;
  let count = 0;
  let isClosed = false;
  const commands = new Map<string, BackgroundCommand>();
  const dropped = new Set<string>();
  const kept = () => [...commands.values()];
  const running = () => kept().filter((command) => command.end() === undefined);

  function nextId(): string {
    tag ??= randomBytes(2).toString("hex");
    count += 1;
    return `${count}-${tag}`;
  }

  /** Forgets the commands that ended first. */
  function forgetOld(): void {
    const ended = kept().filter((command) => command.end() !== undefined);
    for (const { id } of ended.slice(0, Math.max(0, ended.length - MOST_ENDED))) {
      commands.delete(id);
      dropped.add(id);
    }
  }

  return {
    run: shell.run,
    start(command) {
      if (isClosed) throw new ToolError("The child has ended: no command is started.");
      if (running().length >= MOST_RUNNING) {
        const ids = running().map(({ id }) => id);
        throw new ToolError(
          `${MOST_RUNNING} commands run in the background (${ids.join(", ")}). Stop one of them first.`,
        );
      }
      const started = startInBackground(nextId(), command, shell);
      commands.set(started.id, started);
      forgetOld();
      return started;
    },
    find: (id) => commands.get(id) ?? (dropped.has(id) ? "dropped" : before.has(id) ? "ended-before" : undefined),
    known: () => [
      ...[...before, ...dropped].map((id) => ({ id, isRunning: false })),
      ...kept().map(({ id, command, end }) => ({ id, command, isRunning: end() === undefined })),
    ],
    running,
    async close() {
      isClosed = true;
      await Promise.all(running().map((command) => command.stop()));
      await shell.close();
    },
  };
}

function startInBackground(
  id: string,
  command: Omit<ShellCommand, "onOutput">,
  shell: CommandShell,
): BackgroundCommand {
  const output = createCommandOutput();
  const stopping = new AbortController();
  const startedAt = performance.now();
  let end: ShellEnd | undefined;
  let elapsedMs: number | undefined;
  /** Resolves once there is something new to take. */
  let news = Promise.withResolvers<void>();
  let printedAt: number | undefined;

  function onOutput(chunk: Buffer): void {
    output.write(chunk);
    printedAt = performance.now();
    news.resolve();
  }

  function onEnd(how: ShellEnd): void {
    end = how;
    elapsedMs = performance.now() - startedAt;
    news.resolve();
  }

  const ended = shell.run({ ...command, onOutput }, stopping.signal).then(onEnd, (error: unknown) => {
    onOutput(Buffer.from(toolErrorText(error) ?? String(error)));
    onEnd({ exitCode: NOT_STARTED });
  });

  return {
    id,
    command: command.command,
    end: () => end,
    elapsedMs: () => elapsedMs ?? performance.now() - startedAt,
    takeOutput() {
      if (end !== undefined) return output.text();
      printedAt = undefined;
      news = Promise.withResolvers();
      return output.take();
    },
    async settled(waitMs, signal) {
      const until = performance.now() + waitMs;
      while (end === undefined && !signal.aborted) {
        const now = performance.now();
        const waitUntil = printedAt === undefined ? until : Math.min(until, printedAt + QUIET_MS);
        if (waitUntil <= now) return;
        await settlesWithin(printedAt === undefined ? news.promise : ended, waitUntil - now, signal);
      }
    },
    async stop() {
      stopping.abort();
      await ended;
    },
  };
}
