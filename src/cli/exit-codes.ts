/** Exit codes for how a run, or a command about it, ended. */
export const EXIT_COMPLETED = 0;
export const EXIT_NOT_COMPLETED = 1;
export const EXIT_INTERRUPTED = 130;
