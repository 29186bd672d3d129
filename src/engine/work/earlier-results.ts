/** Results of a child's tool calls, as its journal has them. */
import { distinctId } from "../../child/compaction/state.ts";
import type { Journal } from "../../journal/journal.ts";
import type { EarlierResult } from "../../tools/recall.ts";
import { present } from "../../values/present.ts";

/** Oldest first, each by its call's id in the conversation. */
export async function earlierResults(
  journal: Journal,
  { delegationId, childId }: { delegationId: string; childId: string },
): Promise<EarlierResult[]> {
  const counts = new Map<string, number>();
  const results: EarlierResult[] = [];
  for await (const { event } of journal.read({ delegationId, kinds: ["tool-end"] })) {
    if (event.kind !== "tool-end" || event.childId !== childId) continue;
    const { callId, name, target, text, images } = event;
    results.push({ ref: distinctId(counts, callId), name, target, text, ...present({ images }) });
  }
  return results;
}
