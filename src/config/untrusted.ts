/**
 * Limits a project file that the user does not trust yet to choices among the user's routes, new names for them, and
 * lower limits within bounds. It can set no endpoint, key, permission or environment. Anything else is an error, never
 * dropped silently, and a warning names the routes that the file changes.
 */

import { isDeepStrictEqual } from "node:util";
import { type Config, configSchema } from "../config-schema.ts";
import type { Warning } from "../errors.ts";
import { shortLine } from "../text/short-line.ts";
import { type KeyPath, pathText } from "../values/key-path.ts";
import { present } from "../values/present.ts";
import { fieldsOf, isRecord } from "../values/record.ts";
import type { ConfigDocument } from "./document.ts";
import { type Layer, type Merged, mergeLayers } from "./layers.ts";

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
/** Limits: the lowest value with which work still gets done, and whether 0 means unlimited. */
const LIMITS = {
  max_concurrent_children: { least: 1 },
  max_spawn_depth: { least: 1 },
  max_tasks_per_call: { least: 10 },
  max_iterations: { least: 5 },
  child_timeout_seconds: { least: 60, zeroIsUnlimited: true },
  stall_seconds: { least: 30, zeroIsUnlimited: true },
  max_cost_usd: { least: 0.05 },
} as const satisfies Partial<Record<keyof Config["delegation"], { least: number; zeroIsUnlimited?: true }>>;
type Limit = keyof typeof LIMITS;

/** The layer of an untrusted file. A limit out of its bounds and a name that the user has keep their meaning. */
export function choicesOnly(
  document: ConfigDocument,
  layer: Layer,
  below: readonly Layer[],
  errors: string[],
  warnings: Warning[],
): Layer {
  const { delegation, ...rest } = document.value;
  const inner = fieldsOf(delegation);
  for (const path of [
    ...Object.keys(rest).map((key): KeyPath => [key]),
    ...Object.keys(inner).map((key): KeyPath => ["delegation", key]),
  ])
    if (!isChoice(path)) errors.push(document.error(path, NOT_TRUSTED));
  const users = mergeLayers(below);
  const merged = users.value;
  const own = {
    models: ownNames("models", layer, users, warnings),
    agents: ownNames("agents", layer, users, warnings),
  };
  const kept = { ...rest, ...present(own) };
  const limited =
    delegation === undefined ? kept : { ...kept, delegation: withinLimits(layer, inner, merged, warnings) };
  const changes = routeChanges(limited, merged);
  if (changes.length > 0)
    warnings.push({
      code: "untrusted-route",
      message: `${document.file} (not trusted) changes ${changes.join("; ")}. ${TRUST_IT}`,
    });
  return { ...layer, value: limited };
}

const TRUST_IT = "`deputy config trust` makes the file trusted.";

/** Maps of names, with what one of them is called. */
const NAMES = { models: "alias", agents: "agent" } as const;

/** The file's aliases or agents, without those that have a name of the user's. */
function ownNames(
  key: keyof typeof NAMES,
  { value, sourceOf }: Layer,
  users: Merged,
  warnings: Warning[],
): Record<string, unknown> | undefined {
  const defined = value[key];
  if (!isRecord(defined)) return undefined;
  const taken = Object.keys(fieldsOf(users.value[key]));
  const own = Object.entries(defined).filter(([name]) => {
    const kept = taken.find((each) => each.toLowerCase() === name.toLowerCase());
    if (kept === undefined) return true;
    const place = users.layerOf([key, kept])?.sourceOf([key, kept]) ?? "your config";
    const message =
      `${sourceOf([key, name])}: an untrusted project file cannot redefine your ${NAMES[key]} ${name}: it keeps the ` +
      `meaning that ${place} gives it. ${TRUST_IT}`;
    warnings.push({ code: `untrusted-${NAMES[key]}`, message });
    return false;
  });
  return Object.fromEntries(own);
}

function withinLimits(
  { sourceOf }: Layer,
  wanted: Record<string, unknown>,
  merged: Record<string, unknown>,
  warnings: Warning[],
): Record<string, unknown> {
  const now = configSchema.parse(merged).delegation;
  const kept = Object.entries(wanted).filter(([key, value]) => {
    const bound = isLimit(key) ? boundBroken(key, Number(value), now[key]) : undefined;
    if (bound === undefined || !isLimit(key)) return true;
    const path = pathText(["delegation", key]);
    warnings.push({
      code: "untrusted-limit",
      message:
        `${sourceOf(["delegation", key])}: an untrusted project file can only lower limits${bound}; ${path} stays ` +
        `${now[key]}, not ${value}. ${TRUST_IT}`,
    });
    return false;
  });
  return Object.fromEntries(kept);
}

/** The keys that decide where a task runs, with what the file makes of them. */
function routeChanges(value: Record<string, unknown>, merged: Record<string, unknown>): string[] {
  const unset: Record<string, unknown> = configSchema.parse({}).delegation;
  const single = [
    ...ROUTE_KEYS.map((key) => ({ name: key, now: merged[key], next: value[key] })),
    ...DELEGATION_CHOICES.map((key) => ({
      name: `delegation.${key}`,
      now: fieldsOf(merged.delegation)[key] ?? unset[key],
      next: fieldsOf(value.delegation)[key],
    })),
  ];
  const changed = single.filter(({ now, next }) => next !== undefined && !isDeepStrictEqual(now, next));
  const named = ["models", "agents"].flatMap((key) =>
    Object.keys(fieldsOf(value[key])).map((name) => `${key}.${name}`),
  );
  return [
    ...changed.map(({ name, now, next }) => `${name} from ${shortly(now)} to ${shortly(next)}`),
    ...(Array.isArray(value.rules) ? [`rules to ${value.rules.length} of its own`] : []),
    ...(named.length > 0 ? [`what these names mean: ${named.slice(0, MAX_NAMED).join(", ")}`] : []),
  ];
}

const ROUTE_KEYS = ["model", "provider", "reasoning_effort"];
/** Maximum names, and maximum characters of a value, in a warning. */
const MAX_NAMED = 10;
const MAX_SHOWN = 80;

function shortly(value: unknown): string {
  if (value === undefined || isDeepStrictEqual(value, [])) return "none";
  return shortLine(typeof value === "string" ? value : JSON.stringify(value), MAX_SHOWN);
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

/** Explains how a wanted limit is out of its bounds, as the end of a clause; undefined if it is within them. */
function boundBroken(key: Limit, wanted: number, now: number | undefined): string | undefined {
  const bounds: { least: number; zeroIsUnlimited?: true } = LIMITS[key];
  const amount = (value: number | undefined) =>
    value === undefined || (bounds.zeroIsUnlimited && value === 0) ? Number.POSITIVE_INFINITY : value;
  if (amount(wanted) > amount(now)) return "";
  // What is lower already is the user's own choice.
  return amount(wanted) < Math.min(bounds.least, amount(now)) ? `, and this one not below ${bounds.least}` : undefined;
}
