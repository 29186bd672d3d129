/**
 * Whether the model a response names is the one that was asked for. It is what the provider reports, no more. A name is
 * taken apart by the vendors' rules into the words that make the model, whose order varies, and facts that one of two
 * names may leave out. Words that differ, or facts that contradict each other, are two models.
 */
import { present } from "../../../values/present.ts";
import {
  ACTIVE_SIZE,
  CHAT_IS_ANOTHER,
  CHAT_WORD,
  CONTAINER,
  DATES,
  DEPLOYMENT_NAMES,
  LATEST,
  type PartialDate,
  QUANTIZATION,
  RELEASE,
  ROUTER_NAMES,
  SPELLINGS,
  STAGE,
  TRAINED_AS,
  UNMARKED_BASE,
} from "./naming-rules.ts";

type ModelName = {
  /** Sorted; a version is one word. */
  words: readonly string[];
  /** The possible readings of its date; none where it has no date. */
  dates: readonly PartialDate[];
  release?: string | undefined;
  quantization?: string | undefined;
  training?: "chat" | "base" | undefined;
  /** Active parameters: `a22b`. */
  activeSize?: string | undefined;
  /** Who serves it, after a colon. */
  route?: string | undefined;
  isLatest: boolean;
};

type Asked = { provider?: string; baseUrl?: string };

/** No vendor's names are longer. It bounds what a hostile name costs. */
const MAX_NAME = 256;

/**
 * @param requested the id that was sent
 * @param served the id that came back
 * @param asked whom it was asked of
 */
export function isSameModel(requested: string, served: string, asked?: Asked): boolean {
  if (requested === served || leavesModelOpen(requested, asked)) return true;
  if (Math.max(requested.length, served.length) > MAX_NAME) return false;
  const wanted = parseName(requested);
  const answered = parseName(served);
  return (
    hasSameWords(wanted, answered) &&
    agree(wanted.release, answered.release) &&
    agree(wanted.quantization, answered.quantization) &&
    agree(wanted.training, answered.training) &&
    agree(wanted.activeSize, answered.activeSize) &&
    agreeOnDate(wanted.dates, answered.dates) &&
    (answered.route === undefined || answered.route === wanted.route)
  );
}

function leavesModelOpen(requested: string, { provider, baseUrl = "" }: Asked = {}): boolean {
  const model = requested.trim().toLowerCase();
  if (ROUTER_NAMES.test(model)) return true;
  const url = URL.parse(baseUrl);
  const at = url === null ? "" : `${url.hostname}${url.pathname}/`;
  return DEPLOYMENT_NAMES.some(
    (rule) => (rule.provider ?? provider) === provider && rule.at.test(at) && rule.model.test(model),
  );
}

// Reading a name ------------------------------------------------------------------------------------------------------

function parseName(written: string): ModelName {
  const spelled = SPELLINGS.reduce((name, [from, to]) => name.replace(from, to), written.trim().toLowerCase());
  const quantization = QUANTIZATION.exec(spelled)?.[0];
  const { dates, rest } = takeDate(spelled.replace(QUANTIZATION, "").replace(CONTAINER, "").replace(STAGE, ""));
  const release = RELEASE.exec(rest)?.slice(1).find(Boolean);
  const { name, route } = takeRoute(rest.replace(RELEASE, "").replace(LATEST, ""));
  const words = wordsOf(name);
  const isChatWord = (word: string) => CHAT_WORD.test(word) && !CHAT_IS_ANOTHER.test(name);
  const training = words.some(isChatWord) ? "chat" : UNMARKED_BASE.test(written) ? "base" : undefined;
  const activeSize = words.find((word) => ACTIVE_SIZE.test(word));
  return {
    words: words.filter((word) => !isChatWord(word) && word !== activeSize),
    dates,
    isLatest: LATEST.test(rest),
    ...present({ release: release?.replace(/^0+/, ""), quantization, training, activeSize, route }),
  };
}

/** The first date between separators, taken out. A number that can be no date stays. */
function takeDate(name: string): { dates: PartialDate[]; rest: string } {
  for (const [pattern, readings] of DATES) {
    const found = new RegExp(`(?<=[-_@:])${pattern.source}(?=$|[-_@:])`).exec(name);
    const dates = found === null ? [] : readings(...found.slice(1).map(Number)).filter(isPossible);
    if (found !== null && dates.length > 0)
      return { dates, rest: name.slice(0, found.index) + name.slice(found.index + found[0].length) };
  }
  return { dates: [], rest: name };
}

function isPossible({ year = 2020, month = 1, day = 1 }: PartialDate): boolean {
  return year >= 2020 && year < 2040 && month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

/** What follows a colon is a size or a training (Ollama's tags), which are words of the model, or names a route. */
function takeRoute(name: string): { name: string; route?: string } {
  const colon = name.lastIndexOf(":");
  const tag = name.slice(colon + 1);
  const isRoute = colon > 0 && /[a-z]/.test(tag) && !/\d/.test(tag) && !TRAINED_AS.test(tag);
  return isRoute ? { name: name.slice(0, colon), route: tag } : { name };
}

/** `claude-4-7-opus` → `4.7`, `claude`, `opus`; `qwen3.0` → `3`, `qwen`. */
function wordsOf(name: string): string[] {
  const words: string[] = [];
  for (const part of name.split(/[-_\s:@]+/).filter(Boolean)) {
    const [, letters, number] = /^([a-z]*?)v?(\d+(?:\.\d+)*)$/.exec(part) ?? [];
    const last = words.at(-1) ?? "";
    if (number === undefined) words.push(part);
    else if (letters === "" && /^\d{1,2}$/.test(last) && /^\d{1,2}$/.test(part)) words.push(`${words.pop()}.${number}`);
    else words.push(...(letters ? [letters] : []), number);
  }
  return words.map((word) => word.replace(/^(\d+)\.0$/, "$1")).sort();
}

// Comparing two -------------------------------------------------------------------------------------------------------

/** The latest of a name without a version is any version of it. */
function hasSameWords(one: ModelName, other: ModelName): boolean {
  if (one.words.join(" ") === other.words.join(" ")) return true;
  return (one.isLatest && isVersionOf(other, one)) || (other.isLatest && isVersionOf(one, other));
}

function isVersionOf({ words }: ModelName, { words: pointer }: ModelName): boolean {
  const isNumber = (word: string) => /^\d+(\.\d+)*$/.test(word);
  return !pointer.some(isNumber) && words.filter((word) => !isNumber(word)).join(" ") === pointer.join(" ");
}

function agree<Fact>(one: Fact | undefined, other: Fact | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function agreeOnDate(one: readonly PartialDate[], other: readonly PartialDate[]): boolean {
  if (one.length === 0 || other.length === 0) return true;
  return one.some((date) =>
    other.some(({ year, month, day }) => agree(date.year, year) && agree(date.month, month) && agree(date.day, day)),
  );
}
