/** Types and helpers common to `hooks:` and `notify:`. */
import { homedir } from "node:os";
import type { Clock } from "../../clock.ts";
import type { StoredEvent } from "../../event.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Run } from "../../run/run.ts";
import type { Setup } from "../setup/setup.ts";

export type HookSetup = Pick<Setup, "config" | "commandEnvironment" | "redact" | "callWebhook">;

/** Receives the events of one run. */
export type EventListener = (event: StoredEvent) => void;

/** Tells the user how something failed, once for each subject. `problem` continues the sentence. */
export type TellFailure = (subject: string, problem: string, setup: HookSetup) => void;

export type HooksDeps = {
  clock: Clock;
  journal: Journal;
  newId(): string;
  warn(message: string): void;
};

/** Working directory and environment of a run's commands. */
export function placeOf({ directory = homedir() }: Run, { commandEnvironment }: HookSetup) {
  return { cwd: directory, environment: commandEnvironment() };
}
