/** Services shared by every run of this process. */
import type { SchemaChecker } from "../../child/schema/schema-checker.ts";
import type { Model } from "../../child/wire/model.ts";
import type { Clock } from "../../clock.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Worktrees } from "../../worktree/worktrees.ts";
import type { Scheduler } from "../limits/scheduler.ts";
import type { LogError } from "../setup/error-log.ts";

export type Services = {
  clock: Clock;
  random: () => number;
  journal: Journal;
  scheduler: Scheduler;
  model: Model;
  schemas: Pick<SchemaChecker, "check">;
  logError: LogError;
  worktrees: Worktrees;
};
