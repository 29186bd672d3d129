/**
 * The rest of a word whose first letter has answered a question, such as `es` and Enter after `y`: it is no text of the
 * user's. Any other key gives back what was taken, so that nothing typed for a message is lost.
 */
import type { Clock } from "../../../clock.ts";

/** Time without typing after which keys are meant for what the screen shows, in milliseconds. */
export const QUIET_MS = 300;

export type WordRest = {
  /**
   * Takes the rest of a word from now on, until the keyboard is quiet.
   * @param keys that have arrived with the first letter
   * @returns those that are not the rest of the word
   */
  await(word: string, keys: string): string;
  /** @returns the keys that are not the rest of the word */
  without(keys: string): string;
  stop(): void;
};

/** @param giveBack receives what was taken if it was not the rest of the word */
export function createWordRest(clock: Clock, giveBack: (text: string) => void): WordRest {
  let word: string | undefined;
  let taken = "";
  let cancel = () => {};

  function stop(): void {
    cancel();
    word = undefined;
    taken = "";
  }

  function without(keys: string): string {
    if (word === undefined) return keys;
    cancel();
    const all = taken + keys;
    const [, typed = "", enter = ""] = /^([^\r\n]*)(\r\n?|\n)?/.exec(all) ?? [];
    const isRest = word.startsWith(typed.toLowerCase());
    if (isRest && enter === "") {
      taken = all;
      cancel = clock.after(QUIET_MS, end);
      return "";
    }
    stop();
    return isRest ? all.slice(typed.length + enter.length) : all;
  }

  function end(): void {
    const text = taken.toLowerCase() === word ? "" : taken;
    stop();
    if (text !== "") giveBack(text);
  }

  return {
    await(rest, keys) {
      stop();
      word = rest;
      return without(keys);
    },
    without,
    stop,
  };
}
