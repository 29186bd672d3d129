/** The progress of a long run, kept in a file from round to round, so that an interruption loses one round. */
import { appendFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type Asked = { part: string; count: number; seed: number };

export type Part = {
  what: string;
  usualCount: number;
  /** Does all rounds and returns the report; throws at the first broken promise. */
  run(asked: Asked, rounds: Rounds): Promise<string>;
};

export type Rounds = {
  /** Results of earlier rounds, in order. */
  finished<Round>(): Round[];
  add(round: object): void;
  /** Prints the report and keeps it in a file; a later run starts over. */
  report(text: string): void;
};

export function openRounds({ part, count, seed }: Asked): Rounds {
  const directory = join(tmpdir(), "deputy-stress");
  mkdirSync(directory, { recursive: true });
  const path = (ending: string) => join(directory, `${part}-${count}-${seed}.${ending}`);
  return {
    finished() {
      if (!existsSync(path("jsonl"))) return [];
      const lines = readFileSync(path("jsonl"), "utf8").trimEnd().split("\n");
      return lines.map((line) => JSON.parse(line));
    },
    add(round) {
      appendFileSync(path("jsonl"), `${JSON.stringify(round)}\n`);
    },
    report(text) {
      writeFileSync(path("txt"), `${text}\n`);
      rmSync(path("jsonl"), { force: true });
      console.log(`\n${text}\n\nKept in ${path("txt")}`);
    },
  };
}
