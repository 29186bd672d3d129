/**
 * Watches for the file that makes git read its settings from elsewhere. An ordinary repository has none, so nothing can be
 * mounted over it. One that appears is removed within milliseconds, and its sandbox ends.
 */
import { existsSync, type FSWatcher, rmSync, watch } from "node:fs";
import { join } from "node:path";
import { ELSEWHERE } from "./git-files.ts";

/** @param onFound called with the path of each file that was removed */
export function guardGitDirs(gitDirs: readonly string[], onFound: (path: string) => void) {
  const forbidden = gitDirs.map((gitDir) => join(gitDir, ELSEWHERE)).filter((path) => !existsSync(path));

  function check(): void {
    for (const path of forbidden) {
      if (!existsSync(path)) continue;
      rmSync(path, { recursive: true, force: true });
      onFound(path);
    }
  }

  const watchers = gitDirs.flatMap((gitDir) => watched(gitDir, check));
  return {
    check,
    end(): void {
      for (const watcher of watchers) watcher.close();
      check();
    },
  };
}

/** Where nothing can be watched, the checks after each command remain. */
function watched(directory: string, onChange: () => void): FSWatcher[] {
  try {
    const watcher = watch(directory, { persistent: false }, onChange);
    watcher.on("error", () => watcher.close());
    return [watcher];
  } catch {
    return [];
  }
}
