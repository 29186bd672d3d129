/**
 * Detects a stalled request. Silence counts only while this process runs: after a suspension, what arrived meanwhile is
 * read before anything is judged.
 */
import type { Clock } from "../../clock.ts";
import type { OnActivity } from "./event-stream.ts";

export type StallTimer = {
  signal: AbortSignal;
  /** If it stalled: for how long, and whether signs of life arrived meanwhile. */
  stalledFor(): { ms: number; hadSignsOfLife: boolean } | undefined;
  /** Restarts the silence. */
  onActivity: OnActivity;
  /** Stops the timer, because the request has ended. */
  stop(): void;
};

/**
 * Providers send signs of life while a request waits for its turn or a model thinks: OpenRouter's comments
 * (https://openrouter.ai/docs/api-reference/streaming), Anthropic's pings
 * (https://docs.anthropic.com/en/docs/build-with-claude/streaming). A request with nothing else is given this many times as
 * long.
 */
const PATIENCE = 4;
/** The silence is added up in this many steps. A suspension is noticed at the end of its step. */
const STEPS = 10;
/** A step that ends this much too late, in milliseconds: the process was suspended, or busy. */
const LATE_MS = 1_000;
/** After a late step, the time to read what is there, in milliseconds. */
const DRAIN_MS = 1_000;

/** Returns a signal that follows `parent` and also aborts after `stallMs` without data. */
export function startStallTimer(clock: Clock, stallMs: number, parent: AbortSignal): StallTimer {
  const controller = new AbortController();
  const startedAt = clock.elapsed();
  const data = { limitMs: stallMs, silentMs: 0, countedTo: startedAt };
  const content = { limitMs: stallMs * PATIENCE, silentMs: 0, countedTo: startedAt };
  let stalledFor: ReturnType<StallTimer["stalledFor"]>;
  let cancelTimer = () => {};
  const follow = () => controller.abort(parent.reason);

  function wait(ms: number): void {
    const dueAt = clock.elapsed() + ms;
    cancelTimer = clock.after(ms, () => endStep(dueAt));
  }

  function endStep(dueAt: number): void {
    const now = clock.elapsed();
    for (const silence of [data, content]) {
      silence.silentMs += Math.max(0, dueAt - silence.countedTo);
      silence.countedTo = now;
    }
    const leftMs = Math.min(data.limitMs - data.silentMs, content.limitMs - content.silentMs);
    if (leftMs > 0) wait(Math.min(leftMs, stallMs / STEPS));
    else if (now - dueAt > LATE_MS) wait(DRAIN_MS);
    else giveUp();
  }

  function giveUp(): void {
    const hadSignsOfLife = data.silentMs < data.limitMs;
    stalledFor = { ms: hadSignsOfLife ? content.limitMs : data.limitMs, hadSignsOfLife };
    controller.abort(new DOMException("no data from the model", "AbortError"));
  }

  if (stallMs > 0) wait(stallMs / STEPS);
  if (parent.aborted) follow();
  else parent.addEventListener("abort", follow, { once: true });
  return {
    signal: controller.signal,
    stalledFor: () => stalledFor,
    onActivity: (isContent) => {
      const now = clock.elapsed();
      for (const silence of isContent ? [data, content] : [data]) {
        silence.silentMs = 0;
        silence.countedTo = now;
      }
    },
    stop: () => {
      cancelTimer();
      parent.removeEventListener("abort", follow);
      controller.abort("over");
    },
  };
}
