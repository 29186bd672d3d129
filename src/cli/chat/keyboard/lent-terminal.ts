/** Lends the terminal to another program, such as the user's editor. Lines for the screen wait until it has ended. */
import type { Transform } from "node:stream";
import type { Input, Output } from "../../io.ts";
import { PASTE_MODE } from "./paste.ts";

export type LentTerminalDeps = {
  input: Input;
  /** What reads the keys while the terminal is not lent. */
  reader: Transform;
  output: Output;
  rich: boolean;
  setRawMode(mode: boolean): void;
  /** Writes lines above the prompt, if it is shown. */
  above(text: string): void;
};

export function createLentTerminal({ input, reader, output, rich, setRawMode, above }: LentTerminalDeps) {
  /** Lines that came while the terminal was lent. */
  let waiting: string | undefined;

  async function lend(work: () => Promise<void>): Promise<void> {
    waiting = "";
    input.unpipe(reader);
    input.pause();
    if (rich) output.write(PASTE_MODE.off);
    setRawMode(false);
    try {
      await work();
    } finally {
      setRawMode(true);
      if (rich) output.write(PASTE_MODE.on);
      input.pipe(reader);
      output.write(waiting);
      waiting = undefined;
    }
  }

  return {
    lend,
    above(text: string): void {
      if (waiting === undefined) above(text);
      else waiting += text;
    },
  };
}
