/** The live view of a run: a tree if the cursor can be moved, else lines. */

import type { Event } from "../../event.ts";
import type { Run } from "../../run/run.ts";
import type { Output } from "../io.ts";

/** A question in the redrawn rows. Its text and its answers stay as lines when it is closed. */
export type ViewQuestion = {
  output: Output;
  /** @param typed returns the answer so far */
  ask(prompt: string, typed: () => string): void;
  close(): void;
};

export interface View {
  /** Shows an event, with the run it was folded into. */
  onEvent(event: Event, run: Run): void;
  /** Prints a line of Deputy's own. */
  print(line: string): void;
  /** Opens a question in the redrawn rows, if there are any and keys can answer it. */
  openQuestion?(): ViewQuestion;
  /** Removes the redrawn rows while something else is written, then restores them. */
  pause(): void;
  resume(): void;
  /** Ends the view: nothing is drawn after it. May be called twice. */
  end(): void;
}
