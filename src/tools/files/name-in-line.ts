/** A file's name as part of a line of output: a line feed in it must not look like the end of the line. */
import { spelled } from "../../text/spelled-text.ts";

const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]/gu;

/** Control characters as the escapes that a string of JSON or JavaScript has for them. */
export function nameInLine(name: string): string {
  return name.replace(CONTROLS, spelled);
}
