/** The repository around a directory. */
import { realpath, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * The directories above a workspace, from the root of its repository down; none if it is in no repository. One that
 * belongs to somebody else ends the search: anybody can put files into a shared directory.
 */
export async function directoriesAbove(workspace: string): Promise<string[]> {
  try {
    const real = await realpath(workspace);
    const { uid } = await stat(real);
    const above: string[] = [];
    for (let at = real; (await stat(at)).uid === uid; at = dirname(at)) {
      if (at !== real) above.unshift(at);
      const isRoot = await stat(join(at, ".git")).catch(() => undefined);
      if (isRoot !== undefined) return above;
      if (dirname(at) === at) break;
    }
  } catch {
    // The workspace is gone or cannot be searched; reading its own files says so.
  }
  return [];
}
