/** Limits on the memory that clients can make this server use. */

/** Maximum message size in bytes, over either transport: a thousand tasks with their contexts fit. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Maximum open HTTP sessions. A new one replaces the one that was idle longest. */
export const MAX_SESSIONS = 64;
