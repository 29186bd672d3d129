/** A child's conversation on the terminal. */

import type { StoredEvent } from "../../event.ts";
import { transcriptOf } from "../../run/transcript.ts";
import { harmless } from "../../text/spelled-text.ts";
import type { Paint } from "../io.ts";
import { oneLine } from "./terminal-text.ts";

export function formatTranscript(events: StoredEvent[], paint: Paint): string {
  return transcriptOf(events)
    .map(({ who, text }) => `${paint("bold", `── ${oneLine(who)}`)}\n${harmless(text).trim()}\n\n`)
    .join("");
}
