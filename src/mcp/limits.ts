/** Limits on the memory that clients can make this server use. */

/** Maximum message size in bytes, over either transport: a thousand tasks with their contexts fit. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Maximum number of messages in a batch. */
export const MAX_BATCH = 100;

/** Maximum open HTTP sessions. A new one replaces the one that was idle longest; busy ones stay. */
export const MAX_SESSIONS = 64;

/** Maximum size of the message that opens a session, in bytes: the session keeps what it says. */
export const MAX_INITIALIZE_BYTES = 64 * 1024;

/** A body from this size on, in bytes, is large; at most `MAX_LARGE_BODIES` of them are read or answered at once. */
export const LARGE_BODY_BYTES = 1024 * 1024;
export const MAX_LARGE_BODIES = 4;

/** Time after which a client that was refused for lack of room may try again, in seconds. */
export const RETRY_AFTER_SECONDS = 5;
