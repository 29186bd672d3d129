/**
 * Schema of stored events, for reading a journal that may be damaged or foreign. Looser than the types in `event.ts`:
 * additions by later versions are valid, and of a call, a plan or a route it checks only the outline.
 */
import { z } from "zod";
import type { StoredEvent } from "../event.ts";

const text = z.string();
const number = z.number();
const flag = z.boolean();
const record = z.record(text, z.unknown());
const warning = z.looseObject({ code: text, message: text });
const failure = z.looseObject({ kind: text, message: text });
const part = z.union([
  z.looseObject({ type: z.enum(["text", "reasoning"]), text }),
  z.looseObject({ type: z.literal("tool-call"), callId: text, name: text }),
]);
const planned = z.union([
  z.looseObject({ task: record, route: z.looseObject({ provider: text, model: text }) }),
  z.looseObject({ task: record, problem: z.looseObject({ code: text, message: text }) }),
]);
const ending = z.looseObject({
  status: z.enum(["completed", "incomplete", "failed", "timeout", "interrupted"]),
  text,
});
const request = { id: text, target: text, by: text };
const call = { childId: text, callId: text, name: text, target: text };

/** Fields of each kind, in addition to those common to all events. */
const FACTS = {
  "delegation-start": {
    call: z.looseObject({ tasks: z.array(z.looseObject({ goal: text })) }),
    planned: z.array(planned),
    surface: text,
    warnings: z.array(warning),
    callKey: text.optional(),
    client: z.looseObject({ name: text, workspace: text }).optional(),
    retry: z.looseObject({ delegationId: text, carried: z.record(text, z.looseObject({ from: text })) }).optional(),
    format: number.optional(),
    startedBy: text.optional(),
  },
  "image-add": { sha256: text, base64: text },
  "file-add": { sha256: text, text },
  "tool-list-add": { sha256: text, tools: z.array(record) },
  "delegation-resume": { pid: number, renewed: record, format: number.optional() },
  "stop-request": { target: text.optional(), by: text },
  "steer-request": { ...request, text, author: text.optional(), hosts: z.array(text).optional() },
  "approval-answer": { ...request, callId: text, request: text.optional(), allowed: flag, reason: text },
  "call-close": { client: text },
  "conflict-check": {
    compared: z.array(text),
    conflicts: z.array(z.looseObject({ children: z.array(text), files: z.array(z.looseObject({ path: text })) })),
    error: text.optional(),
  },
  "branch-apply": { target: text, head: text, directory: text, to: z.looseObject({ kind: text }), by: text },
  "delegation-end": { durationMs: number.optional() },
  "delegation-charge": {
    childId: text,
    charge: z.looseObject({ delegationId: text, apiCalls: number, costUsd: number, filesChanged: z.array(text) }),
  },
  "child-start": {
    childId: text,
    taskIndex: number,
    prompt: z.looseObject({ system: text, user: z.unknown() }),
    mcpTools: z.array(z.looseObject({ name: text, sha256: text })).optional(),
  },
  "attempt-start": { childId: text, position: number, provider: text, model: text },
  "step-start": { childId: text, step: number },
  "step-end": { childId: text, step: number, parts: z.array(part), finish: text, durationMs: number },
  "step-fail": { childId: text, step: number, failure, recovery: z.looseObject({ action: text }), partialText: text },
  "compact-start": { childId: text, level: number },
  "compact-end": { childId: text, level: number, text: text.optional(), stubs: z.array(number).optional() },
  "approval-ask": { ...call, directory: text.optional(), reason: text.optional(), sandboxed: flag.optional() },
  "approval-end": { childId: text, callId: text, allowed: flag, by: text, reason: text },
  "tool-start": { ...call, searched: text.optional(), sandboxed: flag.optional(), effect: text },
  "pause-start": { childId: text, until: number, failure },
  "pause-end": { childId: text },
  "tool-end": {
    sandboxed: flag.optional(),
    ...{ ...call, searched: text.optional(), text, ok: flag, outcome: text, filesChanged: z.array(text) },
    images: z.array(z.looseObject({ sha256: text, mediaType: text })).optional(),
  },
  "message-add": { childId: text, text: z.unknown(), reason: text, hosts: z.array(text).optional() },
  "child-warn": { childId: text, warning },
  "worktree-add": { childId: text, path: text, repository: text, branch: text, base: text, baseName: text },
  "worktree-save": {
    ...{ childId: text, branch: text.optional(), base: text.optional(), head: text.optional(), error: text.optional() },
    files: z.array(z.looseObject({ path: text })).optional(),
  },
  "child-end": { childId: text, ending, durationMs: number },
} satisfies Record<StoredEvent["kind"], z.ZodRawShape>;

const EVENT_SCHEMAS = Object.fromEntries(
  Object.entries(FACTS).map(([kind, facts]) => [kind, z.looseObject({ delegationId: text, at: number, ...facts })]),
);

/** Describes what is wrong with a value as an event; undefined if it is valid. */
export function eventError(value: unknown): string | undefined {
  const kind = z.looseObject({ kind: text }).safeParse(value).data?.kind;
  const shape = kind === undefined || !Object.hasOwn(EVENT_SCHEMAS, kind) ? undefined : EVENT_SCHEMAS[kind];
  if (shape === undefined) return `there is no event kind ${JSON.stringify(kind)}`;
  const [issue] = shape.safeParse(value).error?.issues ?? [];
  return issue && `${kind}: ${issue.path.join(".")}: ${issue.message}`;
}
