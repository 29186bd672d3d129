/** Which files are Deputy's own: no tool of a child reaches them. */

/** Absolute paths, links not resolved. They need not exist. */
export type OwnFiles = {
  /** Everything in them is Deputy's. */
  directories: readonly string[];
  files: readonly string[];
};
