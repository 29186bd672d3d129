/** The live view of a run: a tree if the cursor can be moved, else lines. */

import type { Event } from "../../event.ts";
import type { Run } from "../../run/run.ts";

export interface View {
  /** Shows an event, with the run it was folded into. */
  onEvent(event: Event, run: Run): void;
  /** Prints a line of Deputy's own. */
  print(line: string): void;
  /** Removes the redrawn rows while something else is written, then restores them. */
  pause(): void;
  resume(): void;
  /** Ends the view: nothing is drawn after it. May be called twice. */
  end(): void;
}
