/**
 * Finds the JSON values in an answer: models add prose with braces, drafts, fences, comments and trailing commas. An
 * answer that is JSON as a whole is the only candidate. A value inside a damaged one is none: it would be a part of the
 * answer that looks whole. Every text is read in linear time.
 */
import { type ContainerReading, readContainer } from "./read-container.ts";

/** Maximum number of candidates that are checked. */
const MAX_CANDIDATES = 100;
/** How much text around a value shows whether it is a part of a sentence. */
const AROUND = 200;

/** The JSON of the candidates, the most likely answer first: of several, the last that is not part of a sentence. */
export function jsonCandidates(text: string): string[] {
  const whole = text.trim();
  if (isJson(whole)) return [whole];
  const found = [...containersIn(text), ...fencedScalarsIn(text)].sort((a, b) => b.end - a.end);
  const [asides, answers] = [true, false].map((wanted) => found.filter((value) => isAside(text, value) === wanted));
  return [...(answers ?? []), ...(asides ?? [])].slice(0, MAX_CANDIDATES).map(({ json }) => json);
}

type Found = { json: string; start: number; end: number };

function containersIn(text: string): Found[] {
  const found: Found[] = [];
  const opening = /[{[]/g;
  for (let match = opening.exec(text); match !== null; match = opening.exec(text)) {
    const start = match.index;
    const reading: ContainerReading = readContainer(text, start);
    if ("json" in reading) found.push({ json: reading.json, start, end: reading.end });
    opening.lastIndex = "json" in reading ? reading.end : reading.continueAt;
  }
  return found;
}

/** Fenced blocks that contain one text, number, true, false or null. */
function fencedScalarsIn(text: string): Found[] {
  const found: Found[] = [];
  let open: number | undefined;
  let at = 0;
  for (const line of text.split("\n")) {
    const isFence = /^\s*(?:```|~~~)/.test(line);
    if (isFence && open !== undefined) {
      const json = text.slice(open, at).trim();
      if (!/^[{[]/.test(json) && isJson(json)) found.push({ json, start: open, end: at });
      open = undefined;
    } else if (isFence) open = at + line.length + 1;
    at += line.length + 1;
  }
  return found;
}

/** Returns whether a value is only mentioned: inside a sentence, or an empty or numbered bracket in running text. */
function isAside(text: string, { json, start, end }: Found): boolean {
  const [before = ""] = text
    .slice(Math.max(0, start - AROUND), start)
    .split("\n")
    .slice(-1);
  const [after = ""] = text.slice(end, end + AROUND).split("\n");
  const isAlone = /^[\s>*_-]*(?:[`~]+\w*\s*)?$/.test(before) && /^[\s`~*_]*$/.test(after);
  if (isAlone) return false;
  const isEmptyOrReference = /^(?:\{\s*\}|\[\s*(?:\d{1,3}(?:\s*,\s*\d{1,3})*)?\s*\])$/.test(json);
  return !/^[\s`*_.;,!)]*$/.test(after) || (isEmptyOrReference && !/[:=]\s*[`*_]*$/.test(before));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
