/** Plans from a config and an environment, shared by the routing tests. */
import assert from "node:assert/strict";
import { configSchema } from "../../src/config-schema.ts";
import type { Problem } from "../../src/errors.ts";
import type { Planned, Ready } from "../../src/plan.ts";
import type { Route } from "../../src/route.ts";
import { createRouting, type PlanContext, type Routing } from "../../src/routing/routing.ts";
import type { Access } from "../../src/secret.ts";
import { type CallInput, parseCall } from "../../src/task.ts";

export type Given = { config?: unknown; env?: Record<string, string> } & Omit<PlanContext, "cwd">;

/** Keys for the providers that most tests need. */
export const KEYS = {
  GLM_API_KEY: "key-of-zai",
  OPENROUTER_API_KEY: "key-of-openrouter",
  ANTHROPIC_API_KEY: "key-of-anthropic",
};

export function routingOf({ config = {}, env = {} }: Given) {
  return createRouting({ config: configSchema.parse(config), env });
}

/** The headers of a request on a route, with each key of its pool in turn. */
export async function accessesFor(route: Route, { credentials }: Routing): Promise<Access[]> {
  const accesses = new Set<Access>();
  for (;;) {
    const lease = await credentials.lease(route, AbortSignal.timeout(5_000));
    assert.ok("access" in lease);
    // Nothing is released: a key is leased again when all have been leased.
    if (accesses.has(lease.access)) return [...accesses];
    accesses.add(lease.access);
    if (lease.keyName === undefined) return [lease.access];
  }
}

/** The same, for the first key. */
export async function accessFor(route: Route, routing: Routing): Promise<Access> {
  return (await accessesFor(route, routing))[0] as Access;
}

export function planAll(call: CallInput, given: Given, cwd = import.meta.dirname) {
  return routingOf(given).plan(parseCall(call, 10_000), { ...given, cwd });
}

/** The plan of a single task that can start. */
export function ready(task: Record<string, unknown>, given: Given): Ready {
  return readyOf(planAll({ goal: "x", ...task }, given).planned[0]);
}

/** The problem of a single task that cannot start. */
export function problem(task: Record<string, unknown>, given: Given): Problem {
  return problemOf(planAll({ goal: "x", ...task }, given).planned[0]);
}

export function readyOf(planned: Planned | undefined): Ready {
  assert.ok(planned !== undefined && "route" in planned, JSON.stringify(planned));
  return planned;
}

export function problemOf(planned: Planned | undefined): Problem {
  assert.ok(planned !== undefined && "problem" in planned, JSON.stringify(planned));
  return planned.problem;
}

/** `glm-5.1 @ zai`, with the effort if there is one. */
export function nameOf({ route }: Ready): string {
  return `${route.model} @ ${route.provider}${route.effort === undefined ? "" : ` · ${route.effort}`}`;
}
