// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** One round: a place, a scripted provider, processes of Deputy, and everything observed at their boundary. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { StoredEvent } from "../../../src/event.ts";
import { openSqliteJournal } from "../../../src/journal/sqlite/sqlite-journal.ts";
import { API_MODES } from "../../../src/route.ts";
import { createModelServer, type ModelRequest, type ModelServer, type Turn } from "../../../src/testing/index.ts";
import { until } from "../../support/command-line.ts";
import { commandOf, processesWith, stepOf, taskOf } from "../../support/end-to-end.ts";
import {
  type Breach,
  type Canary,
  findCanaries,
  findChanges,
  findCrashes,
  findRawCharacters,
  findRepeats,
  findUnapproved,
  type Sighting,
  type StepAsked,
  takeSnapshot,
} from "./detectors.ts";
import { createDraw, type Draw } from "./draw.ts";
import { createPlace, type Place, write } from "./place.ts";
import { type Watched, watch } from "./watched.ts";

export type Script = (request: ModelRequest) => Turn | Promise<Turn>;

export type LaunchOptions = {
  /** Default: the workspace. */
  cwd?: string;
  /** Default: random ones. */
  limits?: string;
  /** Overrides the place's; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  /** Without the option that names the config. */
  bare?: true;
  keepsStdin?: true;
};

export type Round = {
  readonly draw: Draw;
  readonly place: Place;
  readonly server: ModelServer;
  readonly hangMs: number;
  readonly isSample: boolean;
  /** Requests at the provider so far. */
  readonly requests: readonly ModelRequest[];
  /** Sets the model's answers from now on. */
  answerWith(script: Script): void;
  /**
   * Writes the config of this place. @param extra overrides for every round's base
   * @param port a relay to the server; default: the server's own
   */
  configure(extra?: Record<string, unknown>, port?: number): void;
  /** Writes tasks to a file and returns its path. */
  tasks(tasks: unknown): string;
  launch(argv: readonly string[], options?: LaunchOptions): Watched;
  /** Waits until a condition holds, or a process has ended. */
  until(condition: () => boolean | Promise<boolean>, process?: Watched): Promise<void>;
  /** Id of the newest run; undefined if none was stored. */
  runId(): Promise<string | undefined>;
  /** The journal's content, read from a copy. */
  stored(): Promise<StoredEvent[]>;
  /** A command that leaves a mark. */
  command(mark: string): string;
  approve(mark: string): void;
  hasMark(mark: string): boolean;
  /** A user, a command or another party is awaited, so Deputy may wait too. */
  whileAwaiting<Value>(work: () => Promise<Value>): Promise<Value>;
  /** From here on Deputy's own files may differ: the user changed them. */
  userChanged(): void;
  /** From here on no finished step may be requested again. */
  checkpoint(): Promise<void>;
  /** A text that must not contain a canary. */
  saw(where: string, text: string): void;
  breach(breach: Breach): void;
};

/** How patient a round is. `isSample`: it makes fewer calls, for a machine that has other work. */
export type Pace = { hangMs: number; isSample?: boolean };

export type RoundOutcome = { seed: number; attack: string; processes: number; requests: number; breaches: Breach[] };

/** Runs one attack and returns all observed breaches. */
export async function playRound(
  attack: string,
  perform: (round: Round) => Promise<void>,
  seed: number,
  { hangMs, isSample = false }: Pace,
): Promise<RoundOutcome> {
  const draw = createDraw(seed);
  const place = createPlace(draw);
  const mode = draw.pick(API_MODES);
  const breaches: Breach[] = [];
  const processes: Watched[] = [];
  const sightings: Sighting[] = [];
  const approved = new Set<string>();
  const checkpoints: { finished: StepAsked[]; from: number }[] = [];
  let script: Script = () => ({ text: "Done." });
  let awaited = 0;
  const server = await createModelServer({
    keys: { lab: place.key.value },
    script: (request) => script(request),
  });
  const breach = (found: Breach) => void breaches.push(found);
  const mayChange = (path: string) =>
    [
      place.workspace,
      place.state,
      place.output,
      place.marks,
      join(place.root, "copy"),
      join(place.home, ".cache"),
    ].includes(path);
  const look = () =>
    new Map([
      ...takeSnapshot(place.root, mayChange),
      ...place.own.flatMap((path) => [...takeSnapshot(path, () => false)]),
    ]);
  let before = look();

  /** A request may have come and gone between two checks. */
  function createIsIdle(): () => boolean {
    let count = server.count;
    return () => {
      const isIdle = server.inFlight === 0 && awaited === 0 && server.count === count;
      count = server.count;
      return isIdle;
    };
  }

  const round: Round = {
    draw,
    place,
    server,
    hangMs,
    isSample,
    requests: server.requests,
    answerWith(next) {
      script = next;
    },
    configure(extra = {}, port) {
      const url = new URL(server.baseUrl(mode));
      if (port !== undefined) url.port = String(port);
      const config = { ...configOf(place, url.href, mode), ...extra };
      write(place.config, `# ${configCanary(place)}\n${JSON.stringify(config, null, 1)}\n`);
      before = look();
    },
    tasks(tasks) {
      const path = join(place.root, "tasks.json");
      write(path, JSON.stringify(tasks));
      before = look();
      return path;
    },
    launch(argv, { cwd = place.workspace, limits, env = {}, bare, keepsStdin } = {}) {
      const all = Object.entries({ ...place.env, ...env }).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      );
      const watched = watch([...argv, ...(bare ? [] : place.configOptions)], {
        cwd,
        ...(keepsStdin && { keepsStdin }),
        env: Object.fromEntries(all),
        limits: limits ?? draw.pick(LIMITS),
        isIdle: createIsIdle(),
        hangMs,
        onBreach: breach,
      });
      processes.push(watched);
      return watched;
    },
    async until(condition, process) {
      for (
        const deadline = Date.now() + hangMs * PATIENCE;
        !(await condition()) && process?.isOver() !== true;
        await sleep(50)
      ) {
        if (Date.now() > deadline) throw new Error(`Waited in vain for ${condition}`);
      }
    },
    runId: async () => (await round.stored())[0]?.delegationId,
    stored: () => storedIn(place),
    command: (mark) => `touch '${join(place.marks, mark)}'`,
    approve: (mark) => void approved.add(mark),
    hasMark: (mark) => existsSync(join(place.marks, mark)),
    async whileAwaiting(work) {
      awaited += 1;
      try {
        return await work();
      } finally {
        awaited -= 1;
      }
    },
    userChanged() {
      before = look();
    },
    async checkpoint() {
      const from = server.requests.length;
      checkpoints.push({ finished: finishedSteps(await round.stored()), from });
    },
    saw: (where, text) => void sightings.push({ where, text }),
    breach,
  };

  try {
    await perform(round).catch((error: Error) => breach({ kind: "lost", words: error.stack ?? error.message }));
    for (const process of processes) {
      const ending = await process.ending();
      breaches.push(...findCrashes(ending), ...findRawCharacters(ending));
      round.saw(`stdout of deputy ${process.argv[0]}`, ending.stdout);
      round.saw(`stderr of deputy ${process.argv[0]}`, ending.stderr);
    }
    for (const request of server.requests) round.saw("a request", textOf(request, place));
    for (const name of filesIn(place.state)) round.saw(`the journal (${name})`, textIn(join(place.state, name)));
    for (const name of filesIn(place.output)) round.saw(`--output (${name})`, name + textIn(join(place.output, name)));
    for (const { finished, from } of checkpoints) {
      breaches.push(...findRepeats(finished, server.requests.slice(from).map(stepAsked)));
    }
    breaches.push(...findCanaries(place.canaries, sightings));
    breaches.push(...findChanges(before, look()), ...findUnapproved(readdirSync(place.marks), approved));
    breaches.push(...(await leftBehind(place)));
  } finally {
    for (const process of processes) if (!process.isOver()) process.kill();
    await server.close();
    place.remove();
  }
  return { seed, attack, processes: processes.length, requests: server.count, breaches };
}

/** An attack waits for its preconditions this many times as long as a process may hang. */
const PATIENCE = 4;

/** Small machines and large ones. */
const LIMITS = [":", "ulimit -n 64", "ulimit -n 128", "ulimit -n 256", "export NODE_OPTIONS=--max-old-space-size=96"];

function configCanary({ canaries }: Place): string {
  const name = "the config";
  const known: Canary | undefined = canaries.find((canary) => canary.name === name);
  if (known !== undefined) return known.value;
  const made: Canary = { kind: "escape", name, value: crypto.randomUUID().replaceAll("-", "") };
  canaries.push(made);
  return made.value;
}

function configOf({ key }: Place, baseUrl: string, mode: (typeof API_MODES)[number]) {
  const lab = {
    base_url: baseUrl,
    api_mode: mode,
    api_key: `\${${key.variable}}`,
    models: { m1: { price: { input: 0, output: 10 } } },
  };
  // The marks of commands lie outside of the workspace, where a sandbox would hide a command that ran unasked.
  return { model: "m1", provider: "lab", providers: { lab }, terminal: { sandbox: "off" } };
}

/** Everything in a request except the key's header. */
function textOf({ headers, body, path }: ModelRequest, { key }: Place): string {
  const others = Object.entries(headers).filter(([, value]) => value !== key.value && value !== `Bearer ${key.value}`);
  return JSON.stringify([others, body, path]);
}

function stepAsked(request: ModelRequest): StepAsked {
  return { task: /Order \d+/.exec(taskOf(request))?.[0] ?? "another", step: stepOf(request) };
}

/** Tasks are called `Order 0`, `Order 1` and so on, by their place in the call. */
function finishedSteps(stored: readonly StoredEvent[]): StepAsked[] {
  return stored.flatMap((event) =>
    event.kind === "step-end" ? [{ task: `Order ${Number(event.childId.split(".")[1]) - 1}`, step: event.step }] : [],
  );
}

async function storedIn({ state, root }: Place): Promise<StoredEvent[]> {
  const copy = join(root, "copy");
  mkdirSync(copy, { recursive: true });
  for (const name of ["journal.sqlite", "journal.sqlite-wal"]) {
    if (existsSync(join(state, name))) copyFileSync(join(state, name), join(copy, name));
  }
  if (!existsSync(join(copy, "journal.sqlite"))) return [];
  const journal = openSqliteJournal({ stateDir: copy });
  try {
    return await Array.fromAsync(journal.read({}), ({ event }) => event);
  } finally {
    await journal.close();
  }
}

/** Deputy's own copies of its files may contain the same text. */
const OWN_COPIES = ["token", "trusted.json"];

function filesIn(directory: string): string[] {
  if (!existsSync(directory)) return [];
  const names = readdirSync(directory, { recursive: true, encoding: "utf8" });
  return names.filter(
    (name) => !OWN_COPIES.includes(name) && statSync(join(directory, name), { throwIfNoEntry: false })?.isFile(),
  );
}

function textIn(path: string): string {
  return readFileSync(path, "latin1");
}

/** Processes that outlive the round. */
async function leftBehind({ home }: Place): Promise<Breach[]> {
  const left = () => processesWith(`HOME=${home}\0`);
  await until(() => left().length === 0).catch(() => {});
  return left().map((pid) => {
    const command = commandOf(pid);
    process.kill(pid, "SIGKILL");
    return { kind: "hang", words: `still there: ${command}` };
  });
}
