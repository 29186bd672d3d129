/**
 * Checks that a new sandbox shows what was meant. Paths are looked at before bubblewrap mounts them: a process that swaps a
 * directory for a link in between could have something else mounted, or leave a file uncovered. The kernel's table of
 * mounts says what is where, without any path being followed again.
 */
import type { Mount } from "./mounts.ts";

/** One mount: its place, and the file system and directory that it shows. */
type Mounted = { point: string; source: string };

/** @param table as in `/proc/self/mountinfo`: see proc_pid_mountinfo(5) */
function mountsIn(table: string): (Mounted & { device: string; root: string })[] {
  return table
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [, , device = "", root = "", point = ""] = line.split(" ").map(unescaped);
      return { point, device, root, source: `${device} ${root}` };
    });
}

/** Blanks, tabs, line ends and backslashes are written in octal. */
function unescaped(field: string): string {
  return field.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}

/**
 * @param outside the table of Deputy's own process
 * @param inside the table of the runner, before any command has run
 * @returns the first path that is not what was meant; undefined if all are
 */
export function wronglyMounted(mounts: readonly Mount[], outside: string, inside: string): string | undefined {
  const here = mountsIn(outside);
  const there = new Map(mountsIn(inside).map(({ point, source }) => [point, source]));
  const meant = new Map(mounts.filter(isPlace).map((mount) => [mount.path, mount]));
  const wrong = [...meant.values()].find(({ kind, path }) => {
    const found = there.get(path);
    if (found === undefined) return true;
    return (kind === "read" || kind === "write") && found !== sourceOf(path, here);
  });
  return wrong?.path;
}

function isPlace({ kind }: Mount): boolean {
  return kind !== "link" && kind !== "closed" && kind !== "git-settings";
}

/** What a path without links shows: the same way below the mount that it is on. */
function sourceOf(path: string, mounts: ReturnType<typeof mountsIn>): string | undefined {
  const around = mounts.filter(({ point }) => point === "/" || path === point || path.startsWith(`${point}/`));
  const longest = Math.max(...around.map(({ point }) => point.length));
  const nearest = around.findLast(({ point }) => point.length === longest);
  if (nearest === undefined) return undefined;
  const below = nearest.point === "/" ? path : path.slice(nearest.point.length);
  return `${nearest.device} ${nearest.root === "/" ? below || "/" : nearest.root + below}`;
}
