/**
 * Attacks on the real program at its boundary: each round runs one class of attack in a random place, under random
 * limits.
 */
import { attackByAlways } from "./attacks/always.ts";
import { attackByBrokenConnections } from "./attacks/broken-connections.ts";
import { attackByChangedConfig } from "./attacks/changed-config.ts";
import { attackByControlCharacters } from "./attacks/control-characters.ts";
import { BREACHES, HANG_MS } from "./attacks/detectors.ts";
import { attackEnvironment } from "./attacks/environment.ts";
import { attackByDamagingFiles } from "./attacks/file-damage.ts";
import { attackByForgedAnswers } from "./attacks/forged.ts";
import { attackByForgedJournal } from "./attacks/forged-journal.ts";
import { attackByKeysInTexts } from "./attacks/keys-in-texts.ts";
import { attackByManyCalls } from "./attacks/many-calls.ts";
import { attackBudget } from "./attacks/money.ts";
import { attackNotes } from "./attacks/notes.ts";
import { attackByOtherClients } from "./attacks/other-clients.ts";
import { attackOutsideFiles } from "./attacks/outside-files.ts";
import { attackOwnFiles } from "./attacks/own-files.ts";
import { attackPathRules } from "./attacks/path-rules.ts";
import { attackByResumingElsewhere } from "./attacks/resume-elsewhere.ts";
import { type Pace, playRound, type Round, type RoundOutcome } from "./attacks/round.ts";
import { attackBySchemas } from "./attacks/schemas.ts";
import { attackByStopping } from "./attacks/stop.ts";
import { attackBySwapping } from "./attacks/swapped.ts";
import { attackByTypingAhead } from "./attacks/typed-ahead.ts";
import { attackByUntrustedProject } from "./attacks/untrusted-project.ts";
import type { Part } from "./rounds.ts";

export const ATTACKS: Record<string, (round: Round) => Promise<void>> = {
  "a command looks for keys": attackEnvironment,
  "notes and other files of the project": attackNotes,
  "files outside of the workspace": attackOutsideFiles,
  "Deputy's own files": attackOwnFiles,
  "a config that changes": attackByChangedConfig,
  "schemas and patterns": attackBySchemas,
  "many calls at once": attackByManyCalls,
  "answers typed ahead": attackByTypingAhead,
  "a swapped request": attackBySwapping,
  "always, elsewhere": attackByAlways,
  "forged answers": attackByForgedAnswers,
  "a resume that cannot go on": attackByResumingElsewhere,
  "a stop at any moment": attackByStopping,
  "lies about usage": attackBudget,
  "rules for paths and files of secrets": attackPathRules,
  "keys in texts": attackByKeysInTexts,
  "an untrusted project": attackByUntrustedProject,
  "other clients' runs": attackByOtherClients,
  "damage to files": attackByDamagingFiles,
  "a forged journal": attackByForgedJournal,
  "broken connections": attackByBrokenConnections,
  "control characters": attackByControlCharacters,
};

/** Breaches of one kind that a round reports. */
const SHOWN = 5;

const ATTACK_COUNT = Object.keys(ATTACKS).length;

export const attacksPart: Part = {
  what: "attacks on the real program: escapes, keys, crashes, hangs",
  usualCount: 140,
  async run({ count, seed }, rounds) {
    const outcomes = rounds.finished<RoundOutcome>();
    if (outcomes.length > 0) console.log(`${outcomes.length} rounds were finished before.`);
    for (let round = outcomes.length; round < count; round++) {
      const outcome = await playAttack(seed + round);
      outcomes.push(outcome);
      rounds.add(outcome);
      console.log(row(outcome));
    }
    const broken = outcomes.filter(({ breaches }) => breaches.length > 0);
    const report = `${count} rounds (seeds ${seed} to ${seed + count - 1}): ${inWords(outcomes)}.`;
    if (broken.length > 0) {
      rounds.report(report); // Its rounds are over: the same command repeats them.
      throw new Error(`${broken.length} of ${count} rounds were broken:\n${broken.map(row).join("\n")}`);
    }
    return report;
  },
};

/** @param name default: the seed selects the attack too, so that the seed alone repeats a round */
export async function playAttack(
  seed: number,
  pace: Pace = { hangMs: HANG_MS },
  name = Object.keys(ATTACKS)[seed % ATTACK_COUNT] ?? "",
): Promise<RoundOutcome> {
  const attack = ATTACKS[name];
  if (attack === undefined) throw new Error(`Expected an attack; found ${name}`);
  return playRound(name, attack, seed, pace).catch((error: unknown) => {
    throw new Error(`seed ${seed}, ${name}`, { cause: error });
  });
}

function row({ seed, attack, breaches }: RoundOutcome): string {
  const shown = BREACHES.flatMap((kind) => breaches.filter((each) => each.kind === kind).slice(0, SHOWN));
  const lines = shown.map(({ kind, words }) => `        ${kind}: ${words.replaceAll("\n", "\n          ")}`);
  return [`${String(seed).padStart(7)} ${attack}: ${breaches.length === 0 ? "held" : "BROKEN"}`, ...lines].join("\n");
}

function inWords(outcomes: readonly RoundOutcome[]): string {
  const sum = (of: (outcome: RoundOutcome) => number) => outcomes.reduce((total, outcome) => total + of(outcome), 0);
  const counts = BREACHES.map(
    (kind) => `${sum(({ breaches }) => breaches.filter((each) => each.kind === kind).length)} ${kind}`,
  );
  return `${sum(({ processes }) => processes)} processes, ${sum(({ requests }) => requests)} requests; breaches: ${counts.join(", ")}`;
}
