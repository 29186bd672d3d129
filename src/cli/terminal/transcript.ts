/** A child's conversation on the terminal. */

import type { StoredEvent } from "../../event.ts";
import { transcriptOf } from "../../run/transcript.ts";
import type { Paint } from "../io.ts";
import { harmless, oneLine } from "./terminal-text.ts";

export function formatTranscript(events: StoredEvent[], paint: Paint): string {
  return transcriptOf(events)
    .map(({ who, text }) => `${paint("bold", `── ${oneLine(who)}`)}\n${harmless(text).trim()}\n\n`)
    .join("");
}
