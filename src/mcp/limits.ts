/** How much of anything a client may ask this server to hold. */

/** Longest message, in bytes, over either transport: a thousand tasks with their contexts fit. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** Sessions of clients that keep one over HTTP. The one that was idle longest makes room. */
export const MAX_SESSIONS = 64;
