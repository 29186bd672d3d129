/**
 * Files that a message mentions as `@path`: their content follows the message, as `read_file` shows it, within the
 * workspace and under the rules for files. What names no file, as in `@alice`, stays a word.
 */
import { importsIn } from "../../child/note-imports.ts";
import type { UserTools } from "../../engine/setup/user-tools.ts";

/** Files of one message. */
const MOST_FILES = 20;
/** A mention that looks like this was meant to be a file. */
const PATH = /[./]/;

export type MentionedFiles = {
  /** The message with the files that it mentions. */
  text: string;
  /** Why a file is not included. */
  problems: string[];
};

export async function withMentionedFiles(
  message: string,
  { readFile }: Pick<UserTools, "readFile">,
  signal: AbortSignal,
): Promise<MentionedFiles> {
  const paths = importsIn(message);
  const contents: string[] = [];
  const problems: string[] = [];
  for (const path of paths.slice(0, MOST_FILES)) {
    const { ok, text } = await readFile(path, signal);
    if (ok) contents.push(`The file ${path}:\n\n${text}`);
    else if (PATH.test(path)) problems.push(`@${path} is sent as it is written: ${text}`);
  }
  if (paths.length > MOST_FILES)
    problems.push(
      `Expected at most ${MOST_FILES} files in a message; found ${paths.length}. The rest is sent as written.`,
    );
  return { text: [message, ...contents].join("\n\n"), problems };
}
