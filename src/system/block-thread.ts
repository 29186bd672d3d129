/**
 * Blocks this thread for a moment: for code that must be synchronous and waits for another process.
 * @param ms milliseconds
 */
export function blockThread(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
