/** Config keys with an effect on what a terminal is sent besides text. */
import assert from "node:assert/strict";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMemoryJournal } from "../../src/journal/memory.ts";
import { deputy } from "../support/command-line.ts";
import { type Document, stage } from "../support/whole-stage.ts";
import type { Effects } from "./effects.ts";

/** Returns whether the end of one short run rings the terminal's bell. */
async function rings(notify: Document): Promise<boolean> {
  const { outcome } = await stage({ config: { notify } }, (place) =>
    deputy(["run", "--goal", "one"], {
      ...place,
      terminal: true,
      open: (options) => openDeputy({ ...options, journal: createMemoryJournal() }),
    }),
  );
  assert.equal(outcome.code, 0);
  return outcome.stdout.includes("\x07\x1b]9;Deputy: 1 of 1 task completed\x07");
}

export const NOTIFY_EFFECTS: Effects = {
  "notify.bell": async () => {
    assert.equal(await rings({ after_seconds: 0 }), true);
    assert.equal(await rings({}), false);
    assert.equal(await rings({ bell: false, after_seconds: 0 }), false);
  },
};
