/** Identity of whoever answers here, for the record: the surface and the user of this machine. */
import { userInfo } from "node:os";
import { oneLine } from "../terminal/terminal-text.ts";

const NAME_CHARS = 64;

/** Formats an identity such as `terminal (alice)`. */
export function userOf(surface: string): string {
  return `${surface} (${userName()})`;
}

/** The user's name, or the numeric id without an entry in the system's list. */
function userName(): string {
  try {
    return oneLine(userInfo().username).slice(0, NAME_CHARS);
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
