/** Paths that start at the user's home directory. */

/** Replaces `~` at the start of a path; without a home, it stays. */
export function withHome(path: string, home = "~"): string {
  return path.replace(/^~(?=\/|$)/, home);
}
