/**
 * Files of a task: texts that its child gets with the task. A plan has each file's name, size and hash; the text is read
 * when a child starts or continues, and must be the same. No event contains it.
 */

/** Maximum number of files per task. */
export const MAX_FILES = 20;
/** Maximum size of a task's files together. */
export const MAX_FILES_BYTES = 1024 * 1024;

export type FileRef = { name: string; bytes: number; sha256: string };

export type GivenFile = FileRef & { text: string };
