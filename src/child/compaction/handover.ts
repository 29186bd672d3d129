/** The message that replaces removed steps: a model's summary, if there is one, and the facts that Deputy recorded. */
import type { Limits } from "../../plan.ts";
import { shortLine } from "../../text/short-line.ts";
import { todoLines } from "../../todo.ts";
import type { Conversation } from "../conversation.ts";
import type { HeldMessage } from "../message.ts";
import { type CompactionState, callOf, isReplaced } from "./state.ts";

/** Share of the window that the list of removed results, and each other list, may have. */
const LIST_SHARE = 1 / 20;
/** Longest line of a list, in characters. */
const MOST_LINE = 160;

/**
 * @param until position of the first message that stays
 * @returns the messages that are dropped, and the text that stands for them
 */
export function handover(
  conversation: Conversation,
  { maxIterations }: Limits,
  until: number,
  { window, charactersPerToken }: { window: number; charactersPerToken: number },
  summary = conversation.compaction.summary,
): { dropped: HeldMessage[]; text: string } {
  const { before, compaction, step } = conversation;
  const dropped = droppedBefore(conversation, until);
  const results = dropped.filter((message) => message.role === "tool").map(callOf);
  const most = window * LIST_SHARE * charactersPerToken;
  const left = Math.max(0, maxIterations - (step - before.steps));
  const texts = [
    "Earlier steps of this conversation were removed to make room. Continue the work from here. Do not start over.",
    summary === undefined ? "They were not summarized." : `Summary of them:\n\n${summary}`,
    compaction.todo.length === 0 ? "" : ["Your list:", ...todoLines(compaction.todo)].join("\n"),
    list("Files changed so far:", [...compaction.filesChanged], most),
    list("Commands run so far, newest last:", commandLines(compaction), most),
    list(
      "Removed tool results, newest last. `recall` reads them again by call_id:",
      resultLines(compaction, results),
      most,
    ),
    `Requests left: ${left}.`,
  ];
  return { dropped, text: texts.filter((text) => text !== "").join("\n\n") };
}

/** The messages that a summary or the removal of steps drops. @param until position of the first message that stays */
export function droppedBefore({ messages, before }: Conversation, until: number): HeldMessage[] {
  return messages.slice(0, until).filter((message, index) => isReplaced(message, index, before.messages));
}

function commandLines({ commands }: CompactionState): string[] {
  return commands.map(({ command, end }) => `${shortLine(command, MOST_LINE)} (${end})`);
}

function resultLines({ removed }: CompactionState, results: readonly { ref: string; call: string }[]): string[] {
  return [...removed, ...results].map(({ ref, call }) => `${ref}: ${shortLine(call, MOST_LINE)}`);
}

/** The newest lines that fit. */
function list(title: string, lines: readonly string[], characters: number): string {
  const shown: string[] = [];
  let left = characters;
  for (const line of lines.toReversed()) {
    left -= line.length + 3;
    if (left < 0) break;
    shown.unshift(`- ${line}`);
  }
  const older = lines.length - shown.length;
  if (lines.length === 0) return "";
  return [title, ...(older > 0 ? [`(${older} older ones are not listed)`] : []), ...shown].join("\n");
}
