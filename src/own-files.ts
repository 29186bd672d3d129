/** Deputy's own files, which no tool of a child can reach. */

/** Absolute paths, links not resolved. They need not exist. */
export type OwnFiles = {
  /** Directories whose whole content belongs to Deputy. */
  directories: readonly string[];
  files: readonly string[];
};
