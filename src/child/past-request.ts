/**
 * Rebuilds a request that a child sent from the events before its intent. The fold is the loop's, so the conversation is
 * the same.
 */
import type { ChildEvent } from "../event.ts";
import type { GivenFile } from "../given-file.ts";
import type { Image } from "../image.ts";
import type { Ready } from "../plan.ts";
import { routeAt } from "../result.ts";
import { present } from "../values/present.ts";
import { windowOf } from "./compaction/size.ts";
import { summaryRequest } from "./compaction/summary.ts";
import { applyEvent, createConversation } from "./conversation.ts";
import type { ImageBytes } from "./image-room.ts";
import { filesPrompt } from "./prompt.ts";
import type { ModelCall } from "./wire/request/request.ts";
import type { ToolList } from "./wire/request/tool-list.ts";

/** The intent of a request for the next step or for a summary. */
export type RequestIntent = Extract<ChildEvent, { kind: "step-start" | "compact-start" }>;

export type PastInput = {
  planned: Ready;
  images: readonly Image[];
  files: readonly GivenFile[];
  /** Bytes, in base64, of images in tool results, by hash. */
  imageBytes: ImageBytes;
  /** The child's events before the intent. */
  past: readonly ChildEvent[];
  /** The tools that the request offered. */
  toolList: ToolList;
};

/** Compactions without a model send nothing. */
export function isRequestIntent(event: ChildEvent): event is RequestIntent {
  return event.kind === "step-start" || (event.kind === "compact-start" && event.level === 1);
}

export function pastRequest(
  { planned, images, files, imageBytes, past, toolList }: PastInput,
  intent: RequestIntent,
): Omit<ModelCall, "access"> {
  const conversation = createConversation(filesPrompt(files));
  for (const event of past) applyEvent(conversation, event);
  const asked = routeAt(planned, conversation.position);
  const common = {
    ...{ tools: [], toolList, stallMs: 0 },
    ...present({ maxOutputTokens: intent.maxOutputTokens, leftOut: intent.leftOut }),
  };
  if (intent.kind === "step-start") {
    const { system, messages, finalAnswerReason } = conversation;
    return {
      ...common,
      route: asked,
      system,
      messages,
      images,
      imageBytes,
      mustAnswer: finalAnswerReason !== undefined,
    };
  }
  const route = planned.compaction?.route ?? asked;
  const { until = 0 } = intent;
  const { sent } = summaryRequest(conversation, until, route, windowOf(conversation, asked) ?? 0);
  return { ...common, route, system: sent.system, messages: sent.messages, images: [], mustAnswer: false };
}
