/** Flags shared by the commands that start or continue work, and the options they set. */

import { type Command, Option } from "commander";
import type { Effort, Wish } from "../route.ts";
import { present } from "../values/present.ts";
import { parseAllowRule } from "./approvals/allow-rule.ts";
import {
  ALLOW_OPTION,
  CONCURRENCY_OPTION,
  QUIET_OPTION,
  SPAWN_DEPTH_OPTION,
  WAIT_FOR_APPROVAL_OPTION,
} from "./command.ts";

export type WorkFlags = {
  allow?: string[];
  concurrency?: number;
  maxSpawnDepth?: number;
  waitForApproval?: true;
  config?: string;
};

export function declareWorkFlags(command: Command): void {
  command
    .option(...CONCURRENCY_OPTION)
    .option(...SPAWN_DEPTH_OPTION)
    .option(...ALLOW_OPTION)
    .option(...WAIT_FOR_APPROVAL_OPTION);
}

/** How a run is shown and where its results go. @param output what is written to the directory of `--output` */
export function declareOutputFlags(command: Command, output: string): void {
  command
    .addOption(new Option("--json", "print the result as JSON").conflicts("ndjson"))
    .option("--ndjson", "print events and result as JSON lines")
    .option("-o, --output <dir>", output)
    .option(...QUIET_OPTION)
    .option("-v, --verbose", "also show requests, tool calls and approvals");
}

export function workOptions({ allow, concurrency, waitForApproval }: WorkFlags) {
  return present({ permissions: allow?.map(parseAllowRule), concurrency, answersFromElsewhere: waitForApproval });
}

export type RouteFlags = { model?: string; provider?: string; effort?: Effort };

export function wishOf({ model, provider, effort }: RouteFlags): Wish {
  return present({ model, provider, effort });
}
