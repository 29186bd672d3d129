/**
 * Thinking blocks as they began: the provider package takes text and signature from the pieces that follow, and some who
 * speak Anthropic's format say both with the beginning of a block. A signature that is empty or absent goes back empty, and
 * so does thinking: MoonshotAI/kimi-code#1676.
 */
import type { JSONObject } from "@ai-sdk/provider";
import { isRecord } from "../../../values/record.ts";
import type { Rewriter } from "./rewrite-events.ts";

export const thinkingBlockStarts: Rewriter = {
  concerns: /"content_block_start"/,
  start: () => (event) => {
    const { type, content_block: block, index } = event;
    if (type !== "content_block_start" || !isRecord(block) || block.type !== "thinking") return event;
    const { thinking, signature } = block;
    const delta = (delta: JSONObject): JSONObject => ({ type: "content_block_delta", index, delta });
    return [
      event,
      ...(typeof thinking === "string" && thinking !== "" ? [delta({ type: "thinking_delta", thinking })] : []),
      delta({ type: "signature_delta", signature: typeof signature === "string" ? signature : "" }),
    ];
  },
};
