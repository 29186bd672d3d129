/** Runs the commands of one child. All of them end with it, however it ends. */

export type ShellCommand = {
  command: string;
  cwd: string;
  environment: Record<string, string>;
  timeoutMs: number;
  /** Standard input; empty by default. */
  input?: string;
  /** Runs it in the child's sandbox; absent: outside, with the user's own rights. */
  sandbox?: SandboxUse;
  /** Receives standard output and standard error in the order they were written. */
  onOutput(chunk: Buffer): void;
};

/** `reads`: absolute paths that this command may read besides. It then has a sandbox of its own. */
export type SandboxUse = { reads: readonly string[] };

export type ShellEnd = {
  /** 128 + n if signal n ended the command. */
  exitCode: number;
  /** Set if Deputy ended the command. */
  stopped?: "timeout" | "abort";
};

/** Runs command lines. When a promise resolves, nothing is left of its command. */
export type CommandShell = {
  run(command: ShellCommand, signal: AbortSignal): Promise<ShellEnd>;
  /** Ends what it shares between commands. */
  close(): Promise<void>;
};

export type BackgroundCommand = {
  id: string;
  command: string;
  /** Its end; undefined while it runs. */
  end(): ShellEnd | undefined;
  /** Milliseconds that it has run. */
  elapsedMs(): number;
  /** Takes the output since the last call, within limits. */
  takeOutput(): string;
  /** Waits until it has ended, or has printed something new and is quiet, or the time is up or the signal aborts. */
  settled(waitMs: number, signal: AbortSignal): Promise<void>;
  /** Ends it with all its processes. */
  stop(): Promise<void>;
};

/** `ended-before`: an earlier executor of the child ran it. `dropped`: it ended, and its output is no longer kept. */
export type FoundCommand = BackgroundCommand | "ended-before" | "dropped" | undefined;

export type CommandExecutor = {
  /** Runs a command to its end. */
  run(command: ShellCommand, signal: AbortSignal): Promise<ShellEnd>;
  /** Starts a command in the background. @throws ToolError if too many run there */
  start(command: Omit<ShellCommand, "onOutput">): BackgroundCommand;
  /** Undefined if the child never had a command with this id. */
  find(id: string): FoundCommand;
  /** What `find` finds, oldest first. The command of an earlier executor is not known. */
  known(): { id: string; command?: string; isRunning: boolean }[];
  /** The background commands that have not ended. */
  running(): BackgroundCommand[];
  /** Ends everything. Nothing may be started afterwards. */
  close(): Promise<void>;
};

/** The id of the background command whose state is the last line of a result: `[1-ab12 runs in the background, …]`. */
export function backgroundIdIn(result: string): string | undefined {
  return /\[(\d+-[\da-f]{4}) [^\]\n]*\]$/.exec(result)?.[1];
}
