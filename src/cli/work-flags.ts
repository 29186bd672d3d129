/** Flags shared by the commands that start or continue work, and the options they set. */

import type { Effort, Wish } from "../route.ts";
import { present } from "../values/present.ts";
import { parseAllowRule } from "./approvals/allow-rule.ts";

export type WorkFlags = {
  allow?: string[];
  concurrency?: number;
  maxSpawnDepth?: number;
  waitForApproval?: true;
  config?: string;
};

export function workOptions({ allow, concurrency, waitForApproval }: WorkFlags) {
  return present({ permissions: allow?.map(parseAllowRule), concurrency, answersFromElsewhere: waitForApproval });
}

export type RouteFlags = { model?: string; provider?: string; effort?: Effort };

export function wishOf({ model, provider, effort }: RouteFlags): Wish {
  return present({ model, provider, effort });
}
