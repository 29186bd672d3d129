/**
 * The arguments of bubblewrap for a sandbox. We write them ourselves, and not with `@anthropic-ai/sandbox-runtime`: its
 * one manager per process cannot tell which child asks for a host, shows all of the file system but what is denied, and
 * refuses every Unix socket, which many programs need.
 *
 * All namespaces are new, and no more can be made. Processes inside see only each other, and end with the sandbox, which
 * ends with Deputy. Without an interface besides loopback, nothing inside reaches the network; sockets of the host that
 * are files are not mounted.
 */
import type { Mount } from "./mounts.ts";

const NAMESPACES = ["user", "pid", "net", "ipc", "uts"].map((name) => `--unshare-${name}`);

export const ISOLATION = [
  ...NAMESPACES,
  ...["--unshare-cgroup-try", "--disable-userns", "--die-with-parent", "--new-session", "--cap-drop", "ALL"],
];

/** Descriptor from which the user's git settings come. */
export const GIT_SETTINGS = 5;

const ARGUMENTS: Record<Exclude<Mount["kind"], "link">, (path: string) => string[]> = {
  read: (path) => ["--ro-bind", path, path],
  write: (path) => ["--bind", path, path],
  private: (path) => ["--perms", "1777", "--tmpfs", path],
  closed: (path) => ["--remount-ro", path],
  // A device on a mount without devices cannot be opened.
  "hidden-file": (path) => ["--ro-bind", "/dev/null", path],
  "hidden-directory": (path) => ["--perms", "0000", "--tmpfs", path, "--remount-ro", path],
  "git-settings": (path) => ["--perms", "0644", "--file", String(GIT_SETTINGS), path],
  proc: (path) => ["--proc", path],
  dev: (path) => ["--dev", path],
};

export function mountArguments(mounts: readonly Mount[]): string[] {
  return mounts.flatMap((mount) =>
    mount.kind === "link" ? ["--symlink", mount.to, mount.path] : ARGUMENTS[mount.kind](mount.path),
  );
}
