/** What the person who waits sees of a run: a tree where the cursor can be moved, else lines. */

import type { Event } from "../../event.ts";
import type { Run } from "../../run/run.ts";

export interface View {
  /** An event, and the run that has just been folded with it. */
  onEvent(event: Event, run: Run): void;
  /** A line of Deputy's own, for a person. */
  print(line: string): void;
  /** Takes the moving part off the screen while something else is written, and puts it back. */
  pause(): void;
  resume(): void;
  /** The last word: nothing is drawn after it. May be called twice. */
  end(): void;
}
