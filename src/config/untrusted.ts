/**
 * What a project file may set before the user trusts it: a choice among the user's routes, and lower limits. No
 * endpoint, key, permission or environment. The rest is an error, never dropped silently.
 */

import { type Config, configSchema } from "../config-schema.ts";
import type { Warning } from "../errors.ts";
import { type KeyPath, pathText } from "../key-path.ts";
import { isRecord } from "../record.ts";
import type { ConfigDocument } from "./document.ts";
import { type Layer, mergeLayers } from "./layers.ts";

const CHOICES = ["model", "provider", "reasoning_effort", "models", "agents", "rules", "delegation"];
const DELEGATION_CHOICES = [
  "model",
  "provider",
  "reasoning_effort",
  "fallbacks",
  "on_unresolved",
  "batch_defaults",
  "on_served_mismatch",
];
/** Limits, and whether 0 means unlimited. */
const LIMITS = {
  max_concurrent_children: false,
  max_spawn_depth: false,
  max_tasks_per_call: false,
  max_iterations: false,
  child_timeout_seconds: true,
  stall_seconds: true,
  max_cost_usd: false,
} as const satisfies Partial<Record<keyof Config["delegation"], boolean>>;
type Limit = keyof typeof LIMITS;

/** The layer of an untrusted file: a limit that it would raise keeps its value, with a warning. */
export function choicesOnly(
  document: ConfigDocument,
  layer: Layer,
  below: readonly Layer[],
  errors: string[],
  warnings: Warning[],
): Layer {
  const { delegation, ...rest } = document.value;
  const inner = isRecord(delegation) ? delegation : {};
  for (const path of [
    ...Object.keys(rest).map((key): KeyPath => [key]),
    ...Object.keys(inner).map((key): KeyPath => ["delegation", key]),
  ])
    if (!isChoice(path)) errors.push(document.error(path, NOT_TRUSTED));
  if (delegation === undefined) return layer;
  const now = configSchema.parse(mergeLayers(below).value).delegation;
  const kept = Object.entries(inner).filter(([key, value]) => {
    if (!isLimit(key) || !raises(key, Number(value), now[key])) return true;
    const path = pathText(["delegation", key]);
    warnings.push({
      code: "untrusted-limit",
      message:
        `${layer.sourceOf(["delegation", key])}: an untrusted project file can only lower limits; ${path} stays ` +
        `${now[key]}, not ${value}. \`deputy config trust\` makes the file trusted.`,
    });
    return false;
  });
  return { ...layer, value: { ...rest, delegation: Object.fromEntries(kept) } };
}

const NOT_TRUSTED =
  "expected only choices among your own routes, and lower limits, in a project file that is not trusted; found a key " +
  "that decides more. Read the file, then run `deputy config trust` to trust it";

function isChoice([key, inner]: KeyPath): boolean {
  if (inner === undefined) return CHOICES.includes(String(key));
  return DELEGATION_CHOICES.includes(String(inner)) || isLimit(String(inner));
}

function isLimit(key: string): key is Limit {
  return key in LIMITS;
}

function raises(key: Limit, wanted: number, now: number | undefined): boolean {
  const amount = (value: number | undefined) =>
    value === undefined || (LIMITS[key] && value === 0) ? Number.POSITIVE_INFINITY : value;
  return amount(wanted) > amount(now);
}
