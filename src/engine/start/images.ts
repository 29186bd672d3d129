/**
 * Stores and loads the bytes of images. Those of `data:` URLs are stored once, apart from call and plan, which keep
 * their hash; files stay where they are and must be unchanged when a child starts or continues.
 */

import type { Failure } from "../../errors.ts";
import type { ChildEvent, StoredEvent } from "../../event.ts";
import { bytesOfDataUrl, type Image, type ImageRef, isDataUrl, sha256Of } from "../../image.ts";
import type { Journal } from "../../journal/journal.ts";
import type { Planned, Ready } from "../../plan.ts";
import type { Call, Task } from "../../task.ts";
import { toolErrorText } from "../../tools/tool-error.ts";
import { present } from "../../values/present.ts";
import type { Setup, WorkPlace } from "../setup/setup.ts";

export type ImageAdd = Extract<StoredEvent, { kind: "image-add" }>;

/** Replaces the bytes of `data:` URLs in call and plan with `sha256:…`, and returns an event for each of them. */
export function imagesApart(
  call: Call,
  planned: readonly Planned[],
  about: { at: number; delegationId: string },
): { call: Call; planned: Planned[]; stored: ImageAdd[] } {
  const stored = new Map<string, ImageAdd>();
  const tasks = new Map<Task, Task>();
  const shown = new Set(planned.flatMap((entry) => ("images" in entry ? (entry.images ?? []).map(hashOf) : [])));

  function setApart(written: string): string {
    const bytes = isDataUrl(written) ? bytesOfDataUrl(written) : undefined;
    if (bytes === undefined) return isDataUrl(written) ? `${written.slice(0, 40)}…` : written;
    const sha256 = sha256Of(bytes);
    if (shown.has(sha256))
      stored.set(sha256, { kind: "image-add", ...about, sha256, base64: bytes.toString("base64") });
    return `sha256:${sha256}`;
  }

  function light(task: Task): Task {
    if (task.images === undefined) return task;
    const known = tasks.get(task) ?? { ...task, images: task.images.map(setApart) };
    tasks.set(task, known);
    return known;
  }

  const lightCall = { ...call, tasks: call.tasks.map(light) };
  return {
    call: lightCall,
    planned: planned.map((entry) => ({ ...entry, task: light(entry.task) })),
    stored: [...stored.values()],
  };
}

function hashOf(image: ImageRef): string {
  return image.from === "url" ? "" : image.sha256;
}

type ImageStore = { delegationId: string; journal: Journal };

type ImageSources = ImageStore & {
  /** Reads a file in a workspace. @throws ToolError, or an error of the system */
  readImage: Setup["readImage"];
};

/** Loads the images of a child for its requests, or says why it cannot continue. */
export async function loadImages(
  { images = [], ...place }: Ready,
  sources: ImageSources,
): Promise<Image[] | { failure: Failure }> {
  const loaded: Image[] = [];
  for (const ref of images) {
    const image = await loadImage(ref, place, sources);
    if ("lost" in image) return { failure: { kind: "input-changed", message: image.lost } };
    loaded.push(image);
  }
  return loaded;
}

async function loadImage(ref: ImageRef, place: WorkPlace, sources: ImageSources): Promise<Image | { lost: string }> {
  switch (ref.from) {
    case "url":
      return { url: ref.name, ...present({ mediaType: ref.mediaType }) };
    case "data": {
      const base64 = await storedImage(ref.sha256, sources);
      return base64 === undefined ? { lost: `${ref.name} is no longer in the journal.` } : { ...ref, base64 };
    }
    case "file":
      return loadFile(ref, place, sources);
    default:
      return ref satisfies never;
  }
}

function loadFile(
  { name, mediaType, sha256 }: Extract<ImageRef, { from: "file" }>,
  place: WorkPlace,
  { readImage }: ImageSources,
): Image | { lost: string } {
  try {
    const found = readImage(place, name);
    if (found.sha256 === sha256) return { mediaType, base64: found.bytes.toString("base64") };
    return {
      lost: `The image ${name} changed after the task was planned. Restore it, or run the task again.`,
    };
  } catch (error) {
    const reason = toolErrorText(error);
    if (reason === undefined) throw error;
    return { lost: `The image ${name} can no longer be read: ${reason} Restore it, or run the task again.` };
  }
}

export async function storedImage(sha256: string, { journal, delegationId }: ImageStore): Promise<string | undefined> {
  for await (const { event } of journal.read({ delegationId, kinds: ["image-add"] }))
    if (event.kind === "image-add" && event.sha256 === sha256) return event.base64;
  return undefined;
}

/** The bytes, in base64, of all images in results of these events, by hash. */
export async function loadResultImages(events: readonly ChildEvent[], store: ImageStore): Promise<Map<string, string>> {
  const wanted = resultImagesIn(events);
  const found = new Map<string, string>();
  if (wanted.size === 0) return found;
  for await (const { event } of store.journal.read({ delegationId: store.delegationId, kinds: ["image-add"] }))
    if (event.kind === "image-add" && wanted.has(event.sha256)) found.set(event.sha256, event.base64);
  return found;
}

/** Hashes of the images in results. */
export function resultImagesIn(events: readonly ChildEvent[]): Set<string> {
  return new Set(
    events.flatMap((event) => (event.kind === "tool-end" ? (event.images ?? []) : []).map(({ sha256 }) => sha256)),
  );
}

/** A task's images as they were given: the `data:` URLs that its run stored by hash, and every other one as written. */
export function restoredImages(
  written: readonly string[] | undefined,
  planned: Planned,
  sources: ImageStore,
): Promise<string[]> | undefined {
  if (written === undefined) return undefined;
  const refs = "images" in planned ? (planned.images ?? []) : [];
  return Promise.all(
    written.map(async (name, index) => {
      const ref = refs[index];
      const base64 = ref?.from === "data" ? await storedImage(ref.sha256, sources) : undefined;
      return base64 === undefined || ref === undefined ? name : `data:${ref.mediaType};base64,${base64}`;
    }),
  );
}
