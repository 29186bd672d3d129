/** Every detector of the attacks works: each violation is planted once, most of them with the real program. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import {
  type Breach,
  type Ending,
  findBloat,
  findCanaries,
  findCrashes,
  findHang,
  findOverspending,
  findRawCharacters,
  findRepeats,
} from "./detectors.ts";
import { newToken } from "./draw.ts";
import { playRound, type Round } from "./round.ts";

const kinds = (breaches: readonly Breach[]) => [...new Set(breaches.map(({ kind }) => kind))].sort();

const SEED = 1;
const PATIENCE_MS = 30_000;

async function breachesOf(sabotage: (round: Round) => Promise<void>, hangMs = PATIENCE_MS): Promise<Breach[]> {
  return (await playRound("sabotage", sabotage, SEED, { hangMs })).breaches;
}

async function runOnce(round: Round): Promise<void> {
  const { place } = round;
  await round.launch(["run", round.tasks([{ goal: "Order 0" }]), "--json", "-o", place.output], { limits: ":" }).ended;
}

describe("a round of attacks", { timeout: 110_000, concurrency: 2 }, () => {
  test("in which nothing happens has no breach", async () => {
    const honest = async (round: Round) => {
      round.configure();
      await runOnce(round);
    };
    assert.deepEqual(await breachesOf(honest), []);
  });

  test("sees secrets wherever Deputy leaves them, files that changed and commands that ran", async () => {
    const breaches = await breachesOf(async (round) => {
      const { place } = round;
      round.configure();
      const said = place.canaries.map(({ value }) => value).join(" ");
      round.answerWith(({ messages }) =>
        messages.length > 1 ? { text: said } : { text: said, toolCalls: [{ name: "list_dir", input: {} }] },
      );
      await runOnce(round);
      writeFileSync(join(place.outside, "id_rsa"), "changed");
      writeFileSync(place.config, "changed");
      writeFileSync(join(place.marks, "some-command"), "");
    });
    assert.deepEqual(kinds(breaches), ["change", "command", "escape", "key"]);
    const words = breaches.map((breach) => breach.words).join("\n");
    for (const place of [
      "a request",
      "stdout of deputy run",
      "the journal (",
      "--output (",
      "outside/id_rsa was changed",
    ])
      assert.ok(words.includes(place), place);
  });

  test("sees a finished step that is requested again", async () => {
    const breaches = await breachesOf(async (round) => {
      round.configure();
      await runOnce(round);
      await round.checkpoint();
      await runOnce(round);
    });
    assert.deepEqual(breaches, [{ kind: "repeat", words: "the finished step Order 0/1 was requested again" }]);
  });

  test("sees a process that dies by a signal, and one that hangs, and ends it", async () => {
    const died = await breachesOf(async (round) => {
      round.configure();
      await round.launch(["runs"], { limits: "kill -ABRT $$" }).ended;
    });
    assert.match(died[0]?.words ?? "", /deputy runs.* ended with SIGABRT/);
    const hanging = await breachesOf(async (round) => {
      round.configure();
      await round.launch(["mcp"], { keepsStdin: true, limits: ":" }).ended;
    }, 1_500);
    assert.deepEqual(kinds(hanging), ["hang"]);
    const deaf = await breachesOf(async (round) => {
      round.configure();
      await round.whileAwaiting(async () => {
        const process = round.launch(["mcp"], { keepsStdin: true, limits: ":" });
        process.askedToEnd(); // It was never reported.
        await process.ended;
      });
    }, 1_500);
    assert.match(deaf[0]?.words ?? "", /was asked to end and went on for/);
  });
});

test("a secret is seen whole, in part and in base64, and nothing else is", () => {
  const value = newToken();
  const canary = { kind: "key", name: "it", value } as const;
  const seen = (text: string) => findCanaries([canary], [{ where: "here", text }]).length === 1;
  for (const before of ["", "a", "ab", "abc"]) assert.ok(seen(Buffer.from(`${before}${value}!`).toString("base64")));
  assert.ok(seen(`x${value}y`) && seen(value.slice(14, 28)));
  assert.ok(!seen(newToken()) && !seen(value.slice(0, 11)) && !seen(Buffer.from(newToken()).toString("base64")));
});

test("a crash is seen by its exit code and by what is printed", () => {
  const ended = { argv: ["run"], code: 0, signal: null, stdout: "", stderr: "", killed: false } satisfies Ending;
  for (const code of [0, 1, 2, 3, 130]) assert.deepEqual(findCrashes({ ...ended, code }), []);
  for (const code of [70, 134, 139, 7]) assert.deepEqual(kinds(findCrashes({ ...ended, code })), ["crash"]);
  const printed = [
    "Error: x\n    at run (file:///x.ts:1:2)",
    "Unhandled promise rejection",
    "deputy: This is a bug in Deputy.",
    "Node.js v24.0.0",
  ];
  for (const stderr of printed) assert.deepEqual(kinds(findCrashes({ ...ended, stderr })), ["crash"]);
  assert.deepEqual(findCrashes({ ...ended, code: null, signal: "SIGKILL", killed: true }), []);
  assert.deepEqual(findCrashes({ ...ended, code: null, signal: "SIGHUP", sent: "SIGHUP" }), []);
  assert.deepEqual(kinds(findCrashes({ ...ended, code: null, signal: "SIGSEGV", sent: "SIGHUP" })), ["crash"]);
});

test("excessive time, memory and money are detected", () => {
  assert.deepEqual([findHang([], 999, 1_000), findBloat([], 2 ** 20)], [[], []]);
  assert.deepEqual(kinds([...findHang([], 1_001, 1_000), ...findBloat([], 2 ** 32)]), ["crash", "hang"]);
  assert.deepEqual(findOverspending({ limitUsd: 1, chargedUsd: 1, reportedUsd: 1 }), []);
  const broken = [
    { limitUsd: 1, chargedUsd: 1.1 },
    { limitUsd: 1, chargedUsd: 0.9, reportedUsd: 0.5 },
    { limitUsd: 1, chargedUsd: 0.1, reportedUsd: -5 },
    { limitUsd: 1, chargedUsd: Number.NaN },
  ];
  for (const account of broken) assert.deepEqual(kinds(findOverspending(account)), ["budget"]);
  const step = { task: "Order 1", step: 2 };
  assert.deepEqual(findRepeats([step], [{ ...step, step: 3 }]), []);
  assert.deepEqual(kinds(findRepeats([step], [step])), ["repeat"]);
});

test("every attack is part of the suite, and of its sample", async () => {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith(".ts"));
  const names = Object.keys((await import("../attacks.ts")).ATTACKS);
  const helpers = [
    "calls",
    "detectors",
    "detectors.slow.test",
    "draw",
    "mcp",
    "place",
    "round",
    "run",
    "sample",
    "terminal",
    "watched",
  ];
  assert.equal(names.length, files.length - helpers.length);
  const endToEnd = join(import.meta.dirname, "../../end-to-end");
  const samples = readdirSync(endToEnd).filter((name) => name.startsWith("attacks"));
  const sampled = samples.map((name) => readFileSync(join(endToEnd, name), "utf8")).join("\n");
  assert.deepEqual(
    names.filter((name) => sampled.split(`"${name}":`).length !== 2),
    [],
  );
});

test("control characters are seen in what programs read, and beside it", () => {
  const ended = {
    argv: ["run", "--json"],
    code: 0,
    signal: null,
    stdout: "",
    stderr: "",
    killed: false,
  } satisfies Ending;
  for (const sign of ["\u001b[2J", "\u009b1m", "\u202e", "\u200b", "\u{e0041}", "\r", "\0"]) {
    assert.deepEqual(kinds(findRawCharacters({ ...ended, stdout: `{"a":"${sign}"}` })), ["control"]);
    assert.deepEqual(kinds(findRawCharacters({ ...ended, stderr: sign })), ["control"]);
  }
  assert.deepEqual(findRawCharacters({ ...ended, stdout: '{\n\t"é": "\\u009b 漢"\n}\n', stderr: "✓ done\n" }), []);
});
