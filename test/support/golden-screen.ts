/**
 * Screens that are kept as text in `test/cli/screens/`. With `UPDATE_SCREENS=1` in the environment, a test writes them
 * instead of comparing.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FOLDER = join(import.meta.dirname, "../cli/screens");

/** The sizes at which every screen is kept. */
export const SIZES = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 50 },
] as const;

/** @param name of the screen, without its size */
export function assertScreen(name: string, { columns, rows }: { columns: number; rows: number }, text: string): void {
  const path = join(FOLDER, `${name}-${columns}x${rows}.txt`);
  if (process.env.UPDATE_SCREENS) writeFileSync(path, `${text}\n`);
  else assert.equal(`${text}\n`, readFileSync(path, "utf8"), `${path}; write it anew with UPDATE_SCREENS=1`);
}
