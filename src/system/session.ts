/** Ends what a program has started: the leader of a session, and everything in that session. */

/**
 * Ends all processes of session $1, including those in their own groups (`timeout` creates one), but not its own shell,
 * which comes last. The next pass finds a process that was just being started.
 */
export const END_SESSION = `
  session=$1
  read -r self _ </proc/self/stat
  for pass in 1 2 3 4 5 6 7 8; do
    left=
    for stat in /proc/[0-9]*/stat; do
      read -r line <"$stat" || continue
      set -- \${line%% *} \${line##*) }
      [ "$5" = "$session" ] && [ "$1" != "$self" ] && [ "$2" != Z ] && kill -KILL "$1" && left=1
    done
    [ -z "$left" ] && break
  done
  kill -KILL -- "-$session"`;

/** Signals the process group of a leader. */
export function signalGroup(leader: number, name: NodeJS.Signals): void {
  try {
    process.kill(-leader, name);
  } catch {
    // The session is empty.
  }
}
