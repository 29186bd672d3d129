/**
 * Random changes of random files, as exact edits and as a patch: both give the same bytes, and those outside of the
 * change stay as they were.
 */
import assert from "node:assert/strict";
import { chmodSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openWorkshop } from "../workshop.ts";

/** `end` is empty only for a last line without a line end. */
type Line = { text: string; end: string };
/** Lines `from` to before `to` are replaced by others. */
type Change = { from: number; to: number; added: string[] };
/** A passage that occurs once, and contains a change. */
type Passage = { from: number; to: number; change: Change };

/** Lines that occur often, and lines that look like each other. */
const COMMON = [
  "",
  "}",
  "\tend",
  "  end",
  "end ",
  "it's",
  "it’s",
  "“x”",
  '"x"',
  "a\u00a0b",
  "a b",
  "é",
  "e\u0301",
  "- 1",
  "–1",
];
const LONG = "wide 😀 ".repeat(700);

const lineText = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...COMMON) },
  { weight: 3, arbitrary: fc.constant("unique") },
  { weight: 1, arbitrary: fc.constant("long") },
);
const ends = fc.oneof(fc.constant(["\n"]), fc.constant(["\r\n"]), fc.constant(["\r"]), fc.constant(["\n", "\r\n"]));
const shape = fc.record({
  texts: fc.array(lineText, { minLength: 3, maxLength: 25 }),
  kinds: ends,
  picks: fc.infiniteStream(fc.nat()),
  isOpen: fc.boolean(),
  form: fc.constantFrom("UTF-8", "UTF-8 with mark", "UTF-16LE", "UTF-16BE"),
});

test("both tools make the same change, and nothing else changes", async (context) => {
  const { write, call, workspace } = openWorkshop(context);
  const path = join(workspace, "f");
  await fc.assert(
    fc.asyncProperty(shape, async ({ texts, kinds, picks, isOpen, form }) => {
      const pick = (count: number) => (picks.next().value ?? 0) % count;
      const lines = texts.map((text, index): Line => {
        const isLast = index === texts.length - 1;
        const end = isLast && isOpen ? "" : (kinds[pick(kinds.length)] ?? "\n");
        if (text === "long") return { text: LONG, end };
        return { text: text === "unique" || (isLast && text === "") ? `line ${index} €` : text, end };
      });
      const passages = passagesIn(lines, pick);
      fc.pre(passages.length > 0);
      const before = encoded(lines, form);
      const expected = encoded(changed(lines, passages), form);
      const edits = passages.map((passage) => editOf(lines, passage));
      fc.pre(areClear(lines, edits));
      const calls: [tool: string, input: object][] = [
        ["edit_file", { path: "f", edits }],
        ["apply_patch", { input: patchOf(lines, passages) }],
      ];
      for (const [tool, input] of calls) {
        write("f", before);
        chmodSync(path, 0o640);
        const { ok, text } = await call(tool, input);
        assert.ok(ok, `${tool}: ${text}\n${JSON.stringify(input)}`);
        assert.deepEqual(
          readFileSync(path).toString("latin1"),
          expected.toString("latin1"),
          `${tool} ${JSON.stringify(input)}`,
        );
        assert.equal(statSync(path).mode & 0o777, 0o640);
      }
    }),
    { numRuns: 400 },
  );
});

/** Up to three passages, one after the other. Only lines that occur once are replaced, so that the change is clear. */
function passagesIn(lines: readonly Line[], pick: (count: number) => number): Passage[] {
  const passages: Passage[] = [];
  let next = 0;
  for (let tries = 0; tries < 8 && passages.length < 3; tries++) {
    const from = next + pick(Math.max(1, lines.length - next));
    let to = from;
    while (to < lines.length && to < from + 3 && isUnique(lines, to)) to += 1;
    to -= pick(to - from + 1);
    const count = pick(4);
    if (to === from && count === 0) continue;
    const change = { from, to, added: Array.from({ length: count }, (_, index) => `new ${tries}.${index} ’'`) };
    const passage = { ...widened(lines, change, next), change };
    // Without a line around it, exact text cannot say that a line goes with its line end.
    const isAlone = passage.from === from && passage.to === to;
    if (passage.from < next || (isAlone && count === 0)) continue;
    passages.push(passage);
    next = passage.to;
  }
  return passages;
}

function isUnique(lines: readonly Line[], at: number): boolean {
  return lines[at]?.text.startsWith("line ") === true;
}

/** The passage around a change that occurs once; it starts before `least` if there is none. */
function widened(lines: readonly Line[], { from, to }: Change, least: number): { from: number; to: number } {
  const text = lines.map((line) => `${line.text}\n`).join("");
  for (let by = 1; ; by++) {
    const around = { from: from - by, to: Math.min(lines.length, to + by) };
    const isWhole = around.from < least;
    if (isWhole) around.from = Math.max(0, least);
    const passage = textOf(lines, around.from, around.to);
    const lineCount = `\n${text}`.split(`\n${passage}\n`).length - 1;
    if (passage !== "" && lineCount === 1 && text.indexOf(passage) === text.lastIndexOf(passage)) return around;
    if (isWhole && around.to === lines.length) return { from: -1, to: -1 };
  }
}

function textOf(lines: readonly Line[], from: number, to: number): string {
  return lines
    .slice(from, to)
    .map(({ text }) => text)
    .join("\n");
}

/** Lines in place of others have their ends, the last and further ones that of the last; added ones that of the next. */
function changed(lines: readonly Line[], passages: readonly Passage[]): Line[] {
  const lastEnd = lines.findLast(({ end }) => end !== "")?.end ?? "\n";
  const isOpen = lines.at(-1)?.end === "";
  const result: Line[] = [];
  let done = 0;
  for (const { change } of passages) {
    const { from, to, added } = change;
    result.push(...lines.slice(done, from));
    const replaced = lines.slice(from, to).map(({ end }) => end || lastEnd);
    const further = replaced.at(-1) ?? (lines[from]?.end || lastEnd);
    result.push(
      ...added.map((text, index) => ({ text, end: (index < added.length - 1 && replaced[index]) || further })),
    );
    done = to;
  }
  result.push(...lines.slice(done));
  if (!isOpen) return result;
  return result.map((line, index) => {
    if (index === result.length - 1) return { ...line, end: "" };
    return line.end === "" ? { ...line, end: lastEnd } : line;
  });
}

function editOf(lines: readonly Line[], { from, to, change }: Passage): { old_string: string; new_string: string } {
  const kept = (start: number, end: number) => lines.slice(start, end).map(({ text }) => text);
  const after = [...kept(from, change.from), ...change.added, ...kept(change.to, to)];
  return { old_string: textOf(lines, from, to), new_string: after.join("\n") };
}

/** What an earlier edit joins must not be the passage of a later one. */
function areClear(lines: readonly Line[], edits: readonly ReturnType<typeof editOf>[]): boolean {
  let text = textOf(lines, 0, lines.length);
  return edits.every(({ old_string, new_string }) => {
    const isClear = text.indexOf(old_string) === text.lastIndexOf(old_string);
    text = text.replace(old_string, () => new_string);
    return isClear;
  });
}

function patchOf(lines: readonly Line[], passages: readonly Passage[]): string {
  const hunks = passages.map(({ from, to, change }) => {
    const signed = (sign: string, start: number, end: number) => lines.slice(start, end).map(({ text }) => sign + text);
    const body = [
      ...signed(" ", from, change.from),
      ...signed("-", change.from, change.to),
      ...change.added.map((text) => `+${text}`),
      ...signed(" ", change.to, to),
    ];
    return `@@\n${body.join("\n")}`;
  });
  return `*** Begin Patch\n*** Update File: f\n${hunks.join("\n")}\n*** End Patch`;
}

function encoded(lines: readonly Line[], form: string): Buffer {
  const text = lines.map(({ text, end }) => text + end).join("");
  if (form === "UTF-8") return Buffer.from(text);
  if (form === "UTF-8 with mark") return Buffer.from(`\ufeff${text}`);
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return form === "UTF-16LE" ? bytes : bytes.swap16();
}
