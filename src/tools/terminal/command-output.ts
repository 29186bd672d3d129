/** Turns the bytes of a command into the text that its child gets: decoded, as on a screen, within limits. */
import { createOutputWindow } from "./output-window.ts";
import { createScreen } from "./screen.ts";

export function createCommandOutput() {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const window = createOutputWindow();
  const screen = createScreen(window.write);
  return {
    write(chunk: Buffer): void {
      screen.write(decoder.decode(chunk, { stream: true }));
    },
    /** Call once, at the end. The beginning of a character that was never completed is left out. */
    text(): string {
      screen.end();
      return window.text();
    },
  };
}
