// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * All of Deputy on a stage: a home with a config file, a workspace, and two vendors over real HTTP that each require
 * their own key. The journal is in memory, the vendors' answers are scripted, everything else is real.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Clock } from "../../src/clock.ts";
import { stateDir, trustConfig } from "../../src/config/trust.ts";
import { createDeputy, type DelegateOptions } from "../../src/engine/deputy.ts";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { DeputyError } from "../../src/errors.ts";
import type { Event } from "../../src/event.ts";
import type { DelegationResult, Result } from "../../src/result.ts";
import type { CallInput } from "../../src/task.ts";
import {
  createMemoryJournal,
  createModelServer,
  type ModelRequest,
  type ModelServer,
  type Script,
} from "../../src/testing/index.ts";
import { isRecord } from "../../src/values/record.ts";
import { deputy } from "./command-line.ts";

export const VENDORS = ["acme", "beta"] as const;
export type Vendor = (typeof VENDORS)[number];

/** Each vendor's key, by its variable. */
export const KEYS = { ACME_KEY: "sk-acme-5d1f2c", BETA_KEY: "sk-beta-9e3b7a" };

export type Document = Record<string, unknown>;

/** The base config of every scene: two providers, and children run on acme. */
const BASE: Document = {
  provider: "acme",
  providers: {
    acme: { base_url: "${ACME_URL}/v1", api_key: "${ACME_KEY}", default_model: "acme-1" },
    beta: { base_url: "${BETA_URL}/v1", api_key: "${BETA_KEY}", default_model: "beta-1" },
  },
};

export type Scene = {
  /** Merged over the base: maps are merged, other values replaced, `undefined` removes a key. */
  config?: Document;
  /** A trusted config of the project. */
  project?: Document;
  /** Added to the shell's minimum and the vendors' keys, `ACME_URL` and `BETA_URL` (origins). */
  env?: Record<string, string>;
  /** Further keys that acme accepts, by name. */
  keys?: Record<string, string>;
  /** Default: the real one. */
  clock?: Clock;
  /** Called with every event, including live ones. */
  watch?: (event: Event) => void;
  /** Both vendors' answers. Default: `done`. */
  script?: Script;
  /** Files by their path from the home; the workspace is `work`. */
  files?: Record<string, string | Buffer>;
  options?: DelegateOptions;
  /** Default: in memory. */
  journal?: "disk";
};

export type Arrival = ModelRequest & { vendor: Vendor };

/** Everything visible from outside after the scene. */
export type Seen = {
  /** At both vendors, in order of arrival. */
  requests: Arrival[];
  /** Maximum number of concurrent requests. */
  most: Record<Vendor, number>;
  /** Every file of the home by its path; the workspace is `work`. */
  files: Record<string, string>;
};

export type Played = Seen & { result: DelegationResult; results: Result[] };

/** Delegates a call like a program that uses the library. */
export async function play(call: CallInput, scene: Scene = {}): Promise<Played> {
  const { outcome: result, ...seen } = await stage(scene, (place) => delegate(call, scene, place));
  return { ...seen, result, results: result.results };
}

/** Delegates a call that must be rejected as a whole before any request is sent. */
export async function refusal(call: CallInput, scene: Scene = {}): Promise<DeputyError> {
  const { outcome, requests } = await stage(scene, (place) =>
    delegate(call, scene, place).catch((error: unknown) => error),
  );
  assert.ok(outcome instanceof DeputyError, `Expected a refusal; found ${JSON.stringify(outcome)}`);
  assert.deepEqual(requests, []);
  return outcome;
}

async function delegate(call: CallInput, scene: Scene, place: Place): Promise<DelegationResult> {
  const { options, journal, clock, watch = () => {} } = scene;
  const library = createDeputy({
    ...place,
    ...(journal !== "disk" && { journal: createMemoryJournal() }),
    ...(clock && { clock }),
  });
  try {
    const delegation = await library.start(call, options);
    for await (const event of delegation.events) watch(event);
    return await delegation.result;
  } finally {
    await library.close();
  }
}

export type Commanded = Seen & { code: number; stdout: string; stderr: string };

/** Runs a command line in the workspace, without a terminal. */
export async function command(
  argv: string[],
  scene: Scene = {},
  from: string | { terminal: true } = "",
): Promise<Commanded> {
  const { outcome, ...seen } = await stage(scene, (place) =>
    deputy(argv, {
      ...place,
      ...(typeof from === "string" ? { stdin: from } : from),
      open: (options) => openDeputy({ ...options, journal: createMemoryJournal() }),
    }),
  );
  return { ...seen, ...outcome };
}

/**
 * Route of each request: `acme-1 @ acme`, `beta-2 @ beta · high`.
 * @param goals goal by goal; without them in order of arrival
 */
export function routesIn(seen: Seen, ...goals: string[]): string[] {
  const requests = goals.length === 0 ? seen.requests : goals.flatMap((goal) => requestsFor(seen, goal));
  return requests.map(({ model, vendor, effort }) => [`${model} @ ${vendor}`, effort ?? []].flat().join(" · "));
}

/** The requests of the task with this goal. */
export function requestsFor({ requests }: Seen, goal: string): Arrival[] {
  return requests.filter(({ messages }) => messages[0]?.text.split("\n\n").includes(goal));
}

/** How each child ended: `completed`, or why not: `incomplete: max_cost`. */
export function endings({ results }: Played): string[] {
  return results.map(({ status, exit_reason }) => (status === "completed" ? status : `${status}: ${exit_reason}`));
}

export type Place = { env: Record<string, string>; cwd: string };

/** Sets the stage, performs a function on it, and returns what was visible. */
export async function stage<Outcome>(
  scene: Scene,
  perform: (place: Place) => Promise<Outcome>,
): Promise<Seen & { outcome: Outcome }> {
  const home = mkdtempSync(join(tmpdir(), "deputy-stage-"));
  const script = scene.script ?? (() => ({ text: "done" }));
  const acme = await createModelServer({ script, keys: { ACME_KEY: KEYS.ACME_KEY, ...scene.keys } });
  const beta = await createModelServer({ script, keys: { BETA_KEY: KEYS.BETA_KEY } });
  try {
    const place: Place = {
      env: environment(home, acme, beta, scene.env),
      cwd: join(home, "work"),
    };
    mkdirSync(place.cwd);
    layOut(home, scene, place.env);
    const outcome = await perform(place);
    assert.deepEqual([...acme.scriptErrors, ...beta.scriptErrors], []);
    const requests = [...arrivedAt("acme", acme), ...arrivedAt("beta", beta)].sort((a, b) => a.at - b.at);
    return { outcome, requests, most: { acme: acme.maxInFlight, beta: beta.maxInFlight }, files: filesIn(home) };
  } finally {
    await Promise.all([acme.close(), beta.close()]);
    rmSync(home, { recursive: true, force: true, maxRetries: 5 });
  }
}

function environment(home: string, acme: ModelServer, beta: ModelServer, more: Scene["env"]): Record<string, string> {
  return {
    PATH: process.env.PATH ?? "",
    HOME: home,
    DEPUTY_STATE_DIR: join(home, "state"),
    ACME_URL: acme.url,
    BETA_URL: beta.url,
    ...KEYS,
    ...more,
  };
}

function layOut(home: string, { config = {}, project, files = {} }: Scene, env: Record<string, string>): void {
  const write = (path: string, text: string | Buffer) => {
    mkdirSync(dirname(join(home, path)), { recursive: true });
    writeFileSync(join(home, path), text);
  };
  for (const [path, text] of Object.entries(files)) write(path, text);
  write(".config/deputy/config.yaml", JSON.stringify(laidOver(BASE, config)));
  if (project === undefined) return;
  write("work/.deputy/config.yaml", JSON.stringify(project));
  trustConfig(join(home, "work/.deputy/config.yaml"), stateDir(env));
}

function laidOver(below: Document, above: Document): Document {
  const changed = Object.entries(above).map(([key, value]) => {
    const old = below[key];
    return [key, isRecord(old) && isRecord(value) ? laidOver(old, value) : value];
  });
  return { ...below, ...Object.fromEntries(changed) };
}

function arrivedAt(vendor: Vendor, server: ModelServer): Arrival[] {
  return server.requests.map((request) => ({ ...request, vendor }));
}

/** All but Node's compile cache, which a process that was left running still writes when it ends. */
function filesIn(home: string): Record<string, string> {
  const cache = join(home, ".cache", "deputy", "compile");
  const found = readdirSync(home, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    found
      .filter((entry) => entry.isFile() && !entry.parentPath.startsWith(cache))
      .map(({ parentPath, name }) => {
        const path = join(parentPath, name);
        return [path.slice(home.length + 1), readFileSync(path, "utf8")];
      }),
  );
}
