/** How a run, or what was asked of one, ended: as an exit code. */
export const EXIT_COMPLETED = 0;
export const EXIT_NOT_COMPLETED = 1;
export const EXIT_INTERRUPTED = 130;
