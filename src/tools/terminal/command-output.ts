/** Turns the bytes of a command into the text that its child gets: decoded, as on a screen, within limits. */
import { headOf } from "../cut.ts";
import { createOutputWindow } from "./output-window.ts";
import { createScreen } from "./screen.ts";

export type CommandOutput = {
  write(chunk: Buffer): void;
  /**
   * What was written since the last call of `take`, once no more follows; empty when called again. The beginning of a
   * character that was never completed is left out.
   */
  text(): string;
  /**
   * What was written since the last call, while more may follow. A last word that may not be complete is left for the
   * next call: part of a key would not be recognized.
   */
  take(): string;
};

export function createCommandOutput(): CommandOutput {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let { window, screen } = newPart();
  let started = "";

  function text(): string {
    screen.end();
    const all = started + window.text();
    started = "";
    ({ window, screen } = newPart());
    return all;
  }

  return {
    write: (chunk) => screen.write(decoder.decode(chunk, { stream: true })),
    text,
    take() {
      const all = text();
      const whole = headOf(all, all.length);
      started = all.slice(whole.length);
      return whole;
    },
  };
}

function newPart() {
  const window = createOutputWindow();
  return { window, screen: createScreen(window.write) };
}
