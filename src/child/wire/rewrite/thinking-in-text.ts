/**
 * Takes reasoning between tags out of the answer's first text, as `chat-stream.ts` does: servers of open models speak the
 * other formats as well. Where reasoning came by itself, a text that begins with a tag is an answer.
 */
import { createThinkSplitter, type Said } from "../chat/think-tags.ts";
import type { StreamPart } from "../reply/reply-builder.ts";

type TextPart = Extract<StreamPart, { type: "text-start" | "text-delta" | "text-end" }>;

export async function* withoutThinkTags(parts: AsyncIterable<StreamPart>): AsyncGenerator<StreamPart> {
  const splitter = createThinkSplitter();
  let state: "before" | "first text" | "ended" | "after" = "before";
  /** Of the first text: its beginning, until there is text, and its end, until what follows is known. */
  let held: TextPart[] = [];
  let id = "";

  function* said(words: readonly Said[]): Generator<StreamPart> {
    for (const each of words) {
      if (each.type === "text-was-reasoning") yield each;
      else if (each.type === "reasoning") yield { type: "reasoning-delta", id: `${id}-thinking`, delta: each.text };
      else {
        yield* released();
        yield { type: "text-delta", id, delta: each.text };
      }
    }
  }

  function* released(): Generator<StreamPart> {
    const waiting = held;
    held = [];
    yield* waiting;
  }

  /** The rest of the first text, once it is known what follows it. */
  function* ended(next?: StreamPart): Generator<StreamPart> {
    if (state !== "first text" && state !== "ended") return;
    state = "after";
    const end = held.filter(({ type }) => type === "text-end");
    held = held.filter(({ type }) => type !== "text-end");
    const isFinished = next?.type === "text-start" || (next?.type === "finish" && next.finishReason.unified === "stop");
    yield* said(splitter.end(isFinished, next?.type.startsWith("tool-") ?? false));
    yield* released();
    yield* end;
  }

  for await (const part of parts) {
    if (state === "before" && part.type === "text-start") {
      state = "first text";
      id = part.id;
      held.push(part);
    } else if (state === "before" && part.type === "reasoning-delta") {
      state = "after";
      yield part;
    } else if (state === "first text" && part.type === "text-delta") {
      if (part.providerMetadata !== undefined) yield* released();
      yield* said(splitter.read(part.delta));
      if (part.providerMetadata !== undefined) yield { ...part, delta: "" };
    } else if (state === "first text" && part.type === "text-end") {
      state = "ended";
      held.push(part);
    } else {
      if (part.type !== "raw" && part.type !== "response-metadata") yield* ended(part);
      yield part;
    }
  }
  yield* ended();
}
