/** One timer that can be reset. It keeps the process alive while it is set. */
import type { Clock } from "../../clock.ts";

export type Alarm = {
  readonly isSet: boolean;
  /** Rings once after this many milliseconds, replacing the previous setting; undefined cancels it. */
  set(forMs: number | undefined): void;
};

export function createAlarm(clock: Clock, ring: () => void): Alarm {
  let current: { at: number; controller: AbortController } | undefined;
  return {
    get isSet() {
      return current !== undefined;
    },
    set(forMs) {
      const at = forMs === undefined ? undefined : Math.ceil(clock.elapsed() + forMs);
      if (current?.at === at) return;
      current?.controller.abort();
      current = undefined;
      if (at === undefined) return;
      const controller = new AbortController();
      const mine = { at, controller };
      current = mine;
      const onTime = () => {
        if (current !== mine) return;
        current = undefined;
        ring();
      };
      clock.sleep(at - clock.elapsed(), controller.signal).then(onTime, () => {});
    },
  };
}
