/** Names the flag that would have allowed a call. The target is a model's words: it is shown only as plain text of one line. */
import { shellWord } from "../../text/shell-word.ts";

/** Length of a target that can be typed. */
const TYPEABLE = 200;

/** Printable ASCII: another character may look like one. A rule with `*` would allow more than this call. */
const PLAIN = /^(?! )[\x20-\x29\x2b-\x7e]+(?<! )$/;

/** `Allow it with: --allow 'terminal: npm test'`, quoted for a POSIX shell. */
export function allowHint(tool: string, target: string): string {
  if (target.length > TYPEABLE || !PLAIN.test(target))
    return "Allow it with a rule in permissions: of the config, or decide with --wait-for-approval and deputy approve.";
  return `Allow it with: --allow ${shellWord(`${tool}: ${target}`)}`;
}
