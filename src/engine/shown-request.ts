/** Rewrites a request that a child sent, from its run's events, and compares it with the hash that was recorded. */
import { hash } from "node:crypto";
import { isRequestIntent, type PastInput, pastRequest, type RequestIntent } from "../child/past-request.ts";
import { DIALECT_VERSION } from "../child/wire/dialect/dialect.ts";
import { createModel, type WrittenRequest } from "../child/wire/model.ts";
import type { ModelCall } from "../child/wire/request/request.ts";
import { storedToolList, type ToolList, toolListOf } from "../child/wire/request/tool-list.ts";
import { systemClock } from "../clock.ts";
import { DeputyError } from "../errors.ts";
import type { ChildEvent, ContentEvent, StoredEvent } from "../event.ts";
import type { GivenFile } from "../given-file.ts";
import type { Image } from "../image.ts";
import type { Journal } from "../journal/journal.ts";
import type { Ready } from "../plan.ts";
import { childIdOf, foldRun, isChildEvent, parseRunId, type Run } from "../run/run.ts";
import { resolveRunId } from "../run/run-store.ts";
import { plural } from "../text/plural.ts";
import { present } from "../values/present.ts";
import { resultImagesIn } from "./start/images.ts";

export type ShownRequest = {
  child_id: string;
  /** 1 is the child's first request. Requests for summaries count; those that were sent again count again. */
  request: number;
  /** The step that it asked for; absent if it asked for a summary. */
  step?: number;
  provider: string;
  model: string;
  method: "POST";
  url: string;
  /** Without the key's header, and without headers from the config. */
  headers: Record<string, string>;
  body: string;
  sha256: string;
  /** The hash of the body that was sent; absent in journals of format 1. */
  recorded_sha256?: string;
  /** Why the body may not be the one that was sent; empty if it is. */
  differences: string[];
};

/** A request as the journal has it. `lost`: sentences about parts that the journal does not contain. */
type FoundRequest = { childId: string; intent: RequestIntent; input: PastInput; lost: string[] };

/** @param number 1 is the child's first request @throws DeputyError `run-unknown` | `task-invalid` */
export async function shownRequest(journal: Journal, id: string, number: number): Promise<ShownRequest> {
  const delegationId = await resolveRunId(journal, id);
  const { childId, intent, input, lost } = await findRequest(journal, delegationId, parseRunId(id).taskIndex, number);
  const call = pastRequest(input, intent);
  const { url, headers, body } = await writtenRequest(call);
  const sha256 = hash("sha256", body, "hex");
  const recorded = intent.requestSha256;
  return {
    child_id: childId,
    request: number,
    ...(intent.kind === "step-start" && { step: intent.step }),
    provider: call.route.provider,
    model: call.route.model,
    method: "POST",
    ...{ url, headers, body, sha256 },
    ...present({ recorded_sha256: recorded }),
    differences: recorded === sha256 ? [] : differencesFrom(intent, lost),
  };
}

function differencesFrom({ requestSha256, dialectVersion }: RequestIntent, lost: readonly string[]): string[] {
  if (requestSha256 === undefined)
    return ["The journal has no hash of this request: it was written by an earlier Deputy."];
  if (lost.length > 0) return [...lost];
  return dialectVersion === DIALECT_VERSION
    ? ["The body differs from the one that was sent. A provider package may write requests differently than then."]
    : [`It was written in version ${dialectVersion} of the dialects; this Deputy has version ${DIALECT_VERSION}.`];
}

async function findRequest(
  journal: Journal,
  delegationId: string,
  taskIndex: number | undefined,
  number: number,
): Promise<FoundRequest> {
  const past: ChildEvent[] = [];
  const contents = new Map<string, ContentEvent>();
  let run: Run | undefined;
  let count = 0;
  for await (const { event } of journal.read({ delegationId })) {
    run = foldRun(run, event);
    if (isContent(event)) contents.set(event.sha256, event);
    const child = childAt(run, taskIndex);
    if (!isChildEvent(event) || event.childId !== child.tally.childId) continue;
    if (isRequestIntent(event)) count += 1;
    const { planned, childId } = child.tally;
    if (count === number && isRequestIntent(event) && "route" in planned)
      return { childId, intent: event, ...inputOf(planned, past, event, contents) };
    past.push(event);
  }
  const sent = count === 0 ? "no request" : plural(count, "request");
  const child = childIdOf(delegationId, taskIndex ?? 0);
  throw new DeputyError(
    "task-invalid",
    `Expected a request from 1; found ${number}. ${child} has sent ${sent} so far.`,
  );
}

/** The child, which a run with only one need not name. */
function childAt({ children, delegationId }: Run, taskIndex: number | undefined) {
  const child = children[taskIndex ?? 0];
  if (child !== undefined && (taskIndex !== undefined || children.length === 1)) return child;
  const last = `${delegationId}.${children.length}`;
  throw new DeputyError("run-unknown", `Expected a child, ${delegationId}.1 to ${last}, with --request.`);
}

function isContent(event: StoredEvent): event is ContentEvent {
  return event.kind === "image-add" || event.kind === "file-add" || event.kind === "tool-list-add";
}

function inputOf(
  planned: Ready,
  past: readonly ChildEvent[],
  { toolsSha256 }: RequestIntent,
  contents: ReadonlyMap<string, ContentEvent>,
): { input: PastInput; lost: string[] } {
  const lost: string[] = [];
  const images = (planned.images ?? []).flatMap((ref): Image[] => {
    if (ref.from === "url") return [{ url: ref.name, ...present({ mediaType: ref.mediaType }) }];
    const stored = contents.get(ref.sha256);
    if (stored?.kind === "image-add") return [{ mediaType: ref.mediaType, base64: stored.base64 }];
    lost.push(`The journal does not contain the image ${ref.name}.`);
    return [];
  });
  const files = (planned.files ?? []).flatMap((ref): GivenFile[] => {
    const stored = contents.get(ref.sha256);
    if (stored?.kind === "file-add") return [{ ...ref, text: stored.text }];
    lost.push(`The journal does not contain the file ${ref.name}.`);
    return [];
  });
  const imageBytes = new Map<string, string>();
  for (const sha256 of resultImagesIn(past)) {
    const stored = contents.get(sha256);
    if (stored?.kind === "image-add") imageBytes.set(sha256, stored.base64);
    else lost.push(`The journal does not contain an image of a tool's result (${sha256}).`);
  }
  const toolList = toolsSha256 === undefined ? toolListOf([]) : storedTools(contents.get(toolsSha256));
  if (toolList === undefined) lost.push("The journal does not contain the tools that it offered.");
  return { input: { planned, images, files, imageBytes, past, toolList: toolList ?? toolListOf([]) }, lost };
}

function storedTools(stored: ContentEvent | undefined): ToolList | undefined {
  return stored?.kind === "tool-list-add" ? storedToolList(stored.tools) : undefined;
}

/** Has the wire write the request, and sends nothing. */
async function writtenRequest(call: Omit<ModelCall, "access">): Promise<WrittenRequest> {
  const nowhere = { fetchFor: () => () => Promise.reject(new Error("nothing is sent")), close: async () => {} };
  const model = createModel({ transport: nowhere, clock: systemClock });
  const access = { headers: {}, redact: (text: string) => text };
  let written: WrittenRequest | undefined;
  const reply = await model(
    { ...call, access },
    new AbortController().signal,
    () => {},
    async (request) => {
      written = request;
      throw new Error("it is only shown");
    },
  );
  if (written !== undefined) return written;
  throw new Error(reply.ok ? "a request without a body" : reply.failure.message);
}
