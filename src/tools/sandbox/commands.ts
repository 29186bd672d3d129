/**
 * The commands of one sandbox, by the runner in it. Deputy keeps their time: nothing inside can stop the clock. A runner
 * that does not obey is ended with its sandbox.
 */
import { constants } from "node:os";
import type { Readable, Writable } from "node:stream";
import type { ShellCommand, ShellEnd } from "../../command-executor.ts";
import { present } from "../../values/present.ts";
import { fieldsOf } from "../../values/record.ts";
import { ToolError } from "../tool-error.ts";
import { createFrameReader, type Frame, frameBytes } from "./frames.ts";
import { PROXY_VARIABLES } from "./inside.ts";

export type SandboxCommands = {
  /** Runs a command to its end. Nothing that the runner can find is left of it then. */
  run(command: ShellCommand, signal: AbortSignal): Promise<ShellEnd>;
  /** Stops the clocks of all commands, while a user is asked. @returns what lets them go on */
  holdClocks(): () => void;
};

type RunnerProcess = {
  input: Writable;
  output: Readable;
  /** Resolves when the sandbox has ended. */
  exited: Promise<void>;
  kill(): void;
};

type RunningCommand = { onOutput(chunk: Buffer): void; settle(end: ShellEnd | Error): void; limit: TimeLimit };

const KILLED = 128 + constants.signals.SIGKILL;
/** Time in which the runner has to stop a command, before its sandbox is ended. A stopped tool ends within a second. */
const STOP_MS = { abort: 900, timeout: 3_000 } as const;

/** @returns also `ready`: once the runner takes commands, the table of mounts that it sees */
export function connectRunner(runner: RunnerProcess): SandboxCommands & { ready: Promise<string> } {
  const { input, output, exited, kill } = runner;
  const { promise: ready, resolve: onReady } = Promise.withResolvers<string>();
  const running = new Map<number, RunningCommand>();
  const read = createFrameReader();
  let holds = 0;
  let count = 0;

  output.on("data", (chunk: Buffer) => {
    try {
      for (const frame of read(chunk)) {
        if (frame.kind === "ready") onReady(frame.body.toString());
        else hear(frame, running.get(frame.id));
      }
    } catch {
      kill(); // What speaks there is not the runner any more.
    }
  });

  return {
    ready,
    holdClocks() {
      holds += 1;
      for (const { limit } of running.values()) limit.pause();
      return () => {
        holds -= 1;
        if (holds === 0) for (const { limit } of running.values()) limit.resume();
      };
    },
    async run({ command, cwd, environment, timeoutMs, input: text, onOutput }, signal) {
      count += 1;
      const id = count;
      const { promise: ended, resolve, reject } = Promise.withResolvers<ShellEnd>();
      const settle = (end: ShellEnd | Error) => (end instanceof Error ? reject(end) : resolve(end));
      const stopping = createStop(signal, { stop: () => void input.write(frameBytes("stop", id)), kill });
      const limit = createTimeLimit(timeoutMs, () => stopping.stopFor("timeout"));
      if (holds === 0) limit.resume();
      running.set(id, { onOutput, settle, limit });
      void exited.then(() => {
        if (running.has(id)) onOutput(ENDED);
        settle({ exitCode: KILLED });
      });
      const given = { command, cwd, environment: insideEnvironment(environment), ...present({ input: text }) };
      input.write(frameBytes("run", id, Buffer.from(JSON.stringify(given))));
      try {
        const { exitCode } = await ended;
        return { exitCode, ...present({ stopped: stopping.reason() }) };
      } finally {
        running.delete(id);
        limit.pause();
        stopping.end();
      }
    },
  };
}

const ENDED = Buffer.from("\n[The sandbox has ended, and this command with it.]\n");

function hear({ kind, body }: Frame, command: RunningCommand | undefined): void {
  if (kind === "output") command?.onOutput(body);
  if (kind !== "end" && kind !== "fail") return;
  const { exitCode, code, message } = fieldsOf(JSON.parse(body.toString()));
  if (kind === "fail") command?.settle(new ToolError(`The command could not be started: ${message ?? code}.`));
  else command?.settle({ exitCode: typeof exitCode === "number" ? exitCode : KILLED });
}

type Stopping = {
  stopFor(reason: NonNullable<ShellEnd["stopped"]>): void;
  reason(): ShellEnd["stopped"];
  end(): void;
};

/** Stops a command when the signal aborts or its time is over: first it alone, then its sandbox. */
function createStop(signal: AbortSignal, { stop, kill }: { stop(): void; kill(): void }): Stopping {
  let reason: ShellEnd["stopped"];
  let killTimer: NodeJS.Timeout | undefined;
  function stopFor(why: NonNullable<ShellEnd["stopped"]>): void {
    if (reason !== undefined) return;
    reason = why;
    stop();
    killTimer = setTimeout(kill, STOP_MS[why]);
  }
  const onAbort = () => stopFor("abort");
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) queueMicrotask(onAbort); // The command has to be sent first.
  return {
    stopFor,
    reason: () => reason,
    end() {
      clearTimeout(killTimer);
      signal.removeEventListener("abort", onAbort);
    },
  };
}

type TimeLimit = { pause(): void; resume(): void };

/** Maximum delay of a Node timer. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** It stands still until it is resumed. */
function createTimeLimit(ms: number, onOver: () => void): TimeLimit {
  let leftMs = ms;
  let startedAt: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    pause() {
      if (startedAt === undefined) return;
      leftMs -= performance.now() - startedAt;
      startedAt = undefined;
      clearTimeout(timer);
    },
    resume() {
      if (startedAt !== undefined) return;
      startedAt = performance.now();
      timer = setTimeout(onOver, Math.min(Math.max(0, leftMs), MAX_TIMER_MS));
    },
  };
}

/** Variables that lead to what is not there. */
const UNREACHABLE = ["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR", "TMPDIR", "TMP", "TEMP"];

function insideEnvironment(environment: Record<string, string>): Record<string, string> {
  const kept = Object.entries(environment).filter(([name]) => !UNREACHABLE.includes(name));
  return { ...Object.fromEntries(kept), ...PROXY_VARIABLES };
}
