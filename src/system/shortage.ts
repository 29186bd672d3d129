/** Explains resource shortages of the system, for a user or a model. */

const FEWER = "Ask for less at once, and try again.";

const SHORTAGES: Record<string, string> = {
  EMFILE: `Deputy has no file descriptors left. ${FEWER} The limit is that of the shell: \`ulimit -n\`.`,
  ENFILE: `The system has no file descriptors left. ${FEWER} Other programs may have to be ended.`,
  EAGAIN: `The system cannot start more processes for this user. ${FEWER} The limit is that of the shell: \`ulimit -u\`.`,
  ENOMEM: `The system has no memory left. ${FEWER} Other programs may have to be ended.`,
};

/** Says what ran out and what to do; undefined for any other error. */
export function shortageIn(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  const words = SHORTAGES[error.code];
  return words === undefined ? undefined : `${words} (${error.code})`;
}
