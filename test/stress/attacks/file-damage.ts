/**
 * Changes to files in every encoding, with several names, and changed by the user meanwhile. A change is made exactly, or
 * not at all.
 */
import { existsSync, linkSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { stepOf } from "../../support/end-to-end.ts";
import { write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

const TEXT = "first line\r\nword é\r\nlast line\r\n";
const BOM = "\uFEFF";
/** Contents by kind; `edited` after `word` became `WORD`. */
const FILES: Record<string, { before: Buffer; edited: Buffer }> = {
  ...kind("crlf", TEXT, (text) => Buffer.from(text)),
  ...kind("bom", `${BOM}${TEXT}`, (text) => Buffer.from(text)),
  ...kind("utf16le", `${BOM}${TEXT}`, (text) => Buffer.from(text, "utf16le")),
  ...kind("utf16be", `${BOM}${TEXT}`, (text) => Buffer.from(text, "utf16le").swap16()),
  ...kind("latin1", TEXT, (text) => Buffer.from(text, "latin1")),
  ...kind("mixed", "first line\nword\r\nlast line\rend", (text) => Buffer.from(text)),
  ...kind("binary", "word\0\u0001\u00ff", (text) => Buffer.from(text, "latin1")),
};
const OVERWRITTEN = "only this\n";

function kind(name: string, text: string, encode: (text: string) => Buffer) {
  return { [name]: { before: encode(text), edited: encode(text.replace("word", "WORD")) } };
}

export async function attackByDamagingFiles(round: Round): Promise<void> {
  const { draw, place } = round;
  round.configure();
  const kinds = draw.some(Object.keys(FILES), draw.whole(2, 5));
  const at = (name: string) => join(place.workspace, name);
  for (const name of kinds) {
    write(at(`${name}.txt`), "");
    writeFileSync(at(`${name}.txt`), FILES[name]?.before ?? "");
    linkSync(at(`${name}.txt`), at(`${name}-again.txt`));
  }
  write(at("stale.txt"), "as it was read\n");
  round.userChanged();
  round.answerWith((request) => {
    const step = stepOf(request);
    const name = (kind: string) => `${kind}${draw.pick(["", "-again"])}.txt`;
    if (step === 1)
      return { toolCalls: [...kinds.map(name), "stale.txt"].map((path) => ({ name: "read_file", input: { path } })) };
    if (step > 2) return { text: "Done." };
    writeFileSync(at("stale.txt"), "as the user wants it\n");
    const edits = kinds.map((kind) => ({
      name: "edit_file",
      input: { path: name(kind), old_string: "word", new_string: "WORD" },
    }));
    const writes = ["stale.txt", "~/made.txt", "$HOME/made.txt"].map((path) => ({
      name: "write_file",
      input: { path, content: OVERWRITTEN },
    }));
    return { toolCalls: [...edits, ...writes] };
  });
  await runSomehow(round, [{ goal: "Order 0" }], { ends: ["by itself", "by itself", "SIGTERM", "kill"] });
  for (const name of kinds) checkFile(round, name, at(`${name}.txt`), at(`${name}-again.txt`));
  for (const name of ["~", "$HOME"])
    if (existsSync(at(name))) round.breach({ kind: "change", words: `a directory named ${name} was made` });
  if (readFileSync(at("stale.txt"), "utf8") === OVERWRITTEN)
    round.breach({ kind: "change", words: "what the user changed meanwhile was overwritten" });
}

function checkFile(round: Round, name: string, path: string, again: string): void {
  const now = readFileSync(path);
  const { before, edited } = FILES[name] ?? {};
  if (before === undefined || edited === undefined) return;
  if (!now.equals(before) && !now.equals(edited))
    round.breach({ kind: "change", words: `${name} was damaged: ${JSON.stringify(now.toString("latin1"))}` });
  if (!readFileSync(again).equals(now)) round.breach({ kind: "change", words: `the names of ${name} were split` });
}
