/**
 * A response as a list of steps on one HTTP connection: wait, send a head, write, end, cut. Everything that a script
 * requests, faults included, becomes such a list before anything is sent; performing it is the same for all.
 */
import type { ServerResponse } from "node:http";
import type { Clock } from "../clock.ts";
import type { WireFrame } from "./wire-format.ts";

export type ResponseStep =
  | { type: "wait"; ms: number }
  /** Nothing more arrives until the client disconnects or the server closes. */
  | { type: "hang" }
  | { type: "head"; status: number; headers: Record<string, string> }
  | { type: "write"; data: string | Uint8Array }
  | { type: "end" }
  /** The connection is reset: the client sees ECONNRESET. */
  | { type: "reset" };

/** Minimum time between two paced writes, in milliseconds: faster text is written several pieces at a time. */
const SHORTEST_PAUSE_MS = 10;

/** Converts frames to writes: all at once, or with a pause for every delta. */
export function written(frames: readonly WireFrame[], msPerDelta: number): ResponseStep[] {
  const steps: ResponseStep[] = [];
  let pauseMs = 0;
  let data = "";
  for (const frame of frames) {
    data += frame.data;
    if (frame.delta) pauseMs += msPerDelta;
    if (pauseMs < SHORTEST_PAUSE_MS) continue;
    steps.push({ type: "wait", ms: pauseMs }, { type: "write", data });
    pauseMs = 0;
    data = "";
  }
  if (data !== "") steps.push({ type: "write", data });
  return steps;
}

/** Performs the steps in order; stops when the client disconnects. @param onHead receives the status when it is sent */
export function sendSteps(
  steps: readonly ResponseStep[],
  response: ServerResponse,
  clock: Clock,
  onHead: (status: number) => void = () => {},
): void {
  let next = 0;
  let cancel = () => {};
  if (response.closed) return;
  response.once("close", () => {
    next = steps.length;
    cancel();
  });

  function performNext(): void {
    while (next < steps.length) {
      const step = steps[next++] as ResponseStep;
      switch (step.type) {
        case "wait":
          cancel = clock.after(step.ms, performNext);
          return;
        case "hang":
          return;
        case "head":
          response.writeHead(step.status, step.headers);
          onHead(step.status);
          break;
        case "write":
          if (!response.write(step.data)) {
            response.once("drain", performNext);
            return;
          }
          break;
        case "end":
          response.end();
          break;
        case "reset":
          // Written data is sent at the end of this turn of the event loop; the reset must follow it.
          setImmediate(() => response.socket?.resetAndDestroy());
          break;
        default:
          step satisfies never;
      }
    }
  }

  performNext();
}

/** Waits; returns false if the client disconnects first. */
export function waited(ms: number, response: ServerResponse, clock: Clock): Promise<boolean> {
  if (response.closed || ms <= 0) return Promise.resolve(!response.closed);
  return new Promise((resolve) => {
    const cancel = clock.after(ms, () => {
      response.off("close", onClose);
      resolve(true);
    });
    function onClose() {
      cancel();
      resolve(false);
    }
    response.once("close", onClose);
  });
}
