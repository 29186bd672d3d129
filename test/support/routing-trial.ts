/**
 * Tests a batch: runs it with all of Deputy over real HTTP, at servers that accept a request only if its task may make
 * it there, now, with that key. Every server records every header.
 */
import assert from "node:assert/strict";
import dns from "node:dns";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "../../src/clock.ts";
import { stateDir, trustConfig } from "../../src/config/trust.ts";
import { createDeputy, type Deputy } from "../../src/engine/deputy.ts";
import { DeputyError } from "../../src/errors.ts";
import type { DelegationResult, Result } from "../../src/result.ts";
import type { RouteHook } from "../../src/routing/resolve/hook.ts";
import { resultsOf } from "../../src/run/run.ts";
import type { CallInput } from "../../src/task.ts";
import { createMemoryJournal, createModelServer, type ModelRequest, type Turn } from "../../src/testing/index.ts";
import { createRandom } from "./end-to-end-moments.ts";
import {
  type Batch,
  callOf,
  configOf,
  environmentOf,
  type Ground,
  goalOf,
  type Level,
  makeBatch,
  nestedCallOf,
  projectConfigOf,
  type Task,
} from "./routing-batch.ts";
import {
  type Expectations,
  type Expected,
  type ExpectedCall,
  endOf,
  expectationsOf,
  isOutside,
  type Outcome,
} from "./routing-oracle.ts";

/** Counts over all batches, which show that the inputs are varied enough, and not too invalid. */
export type Tally = {
  batches: number;
  refused: number;
  tasks: number;
  rejected: number;
  requests: number;
  fallbacks: number;
  substituted: number;
  pooled: number;
  out: number;
  /** Tasks delegated by children, and their calls that were rejected as a whole. */
  nested: number;
  nestedRefused: number;
  /** Batches with a project's config. */
  projects: number;
  budgeted: number;
  chosenBy: Record<string, number>;
};

type OnTrial = {
  batch: Batch;
  expected: Expectations;
  /** Position of each task's child in its routes, by the task's path. */
  positions: Map<string, number>;
  asked: Map<string, number>;
  /** Outside hosts to which a connection was attempted. */
  connects: Set<string>;
  seen: number;
  complaints: string[];
};

/** Maximum number of concurrent batches. */
const AT_ONCE = 16;

/**
 * Tests batches by number.
 * @throws Error that names the first failed one, and how to repeat it
 */
export async function tryBatches(seed: number, from: number, count: number): Promise<Tally> {
  const court = await openCourt(seed);
  let next = from;
  async function work(): Promise<void> {
    while (next < from + count) {
      const index = next++;
      await court.try(index).catch((error: Error) => {
        next = Number.POSITIVE_INFINITY;
        throw new Error(`Batch ${index} of seed ${seed}: ${error.message}`, { cause: error });
      });
    }
  }
  try {
    const workers = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    for (const worker of workers) if (worker.status === "rejected") throw worker.reason;
    return court.tally;
  } finally {
    await court.close();
  }
}

type Court = {
  /**
   * Tests the batch with this number.
   * @throws AssertionError with all violations
   */
  try(index: number): Promise<void>;
  readonly tally: Tally;
  close(): Promise<void>;
};

/** Names of the local network that look like vendors' own. No proxy gets a request to them. */
const LOOK_ALIKES = ["api.openai.com.lan", "api.z.ai.internal", "anthropic.lan"];
/** Sleeps end at once and advance the clock by a second at most, so that no deadline expires because of a sibling. */
function hastyClock(): Clock {
  let aheadMs = 0;
  return {
    ...systemClock,
    now: () => systemClock.now() + aheadMs,
    elapsed: () => systemClock.elapsed() + aheadMs,
    async sleep(ms) {
      aheadMs += Math.min(ms, 1_000);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

async function openCourt(seed: number): Promise<Court> {
  const home = mkdtempSync(join(tmpdir(), "deputy-routing-"));
  const trials = new Map<string, OnTrial>();
  const tally: Tally = {
    batches: 0,
    refused: 0,
    tasks: 0,
    rejected: 0,
    requests: 0,
    fallbacks: 0,
    substituted: 0,
    pooled: 0,
    out: 0,
    nested: 0,
    nestedRefused: 0,
    projects: 0,
    budgeted: 0,
    chosenBy: {},
  };
  const strangers: string[] = [];
  const servers = await Promise.all(
    [1, 2, 3].map(() => createModelServer({ script: judge, keepRequests: "none", extraFields: ["reasoning"] })),
  );
  const elsewhere = await listen((incoming) => strangers.push(`a redirect was followed to ${incoming.url}`));
  const proxy = await listenAsProxy((host, batchId, headers) => heardOfConnect(host, trials.get(batchId), headers));
  const loopback = [...servers.map(({ url }) => url), `http://localhost:${new URL(servers[1]?.url ?? "").port}`];
  const lookAlikes = LOOK_ALIKES.map((host) => `http://${host}:${new URL(servers[0]?.url ?? "").port}`);
  const ground: Ground = { loopback, lookAlikes };
  const forgetNames = resolveHere(LOOK_ALIKES);

  function judge(request: ModelRequest): Turn {
    const [, id = "", path = ""] = /batch (\S+) task (\d+(?:\.\d+)?)/.exec(request.messages[0]?.text ?? "") ?? [];
    const trial = trials.get(id);
    if (trial === undefined) {
      strangers.push(`a request of no batch at ${request.headers.host}${request.path}`);
      return { fault: { kind: "unauthorized" } };
    }
    trial.seen += 1;
    const found = settlePosition(trial, path, request);
    if (found === undefined) return { fault: { kind: "unauthorized" } };
    return answer(trial, path, found, request, elsewhere.url);
  }

  return {
    tally,
    async try(index) {
      const batch = makeBatch(`${seed}-${index}`, createRandom(seed * 1_000_003 + index), ground);
      const trial: OnTrial = {
        batch,
        expected: expectationsOf(batch),
        positions: new Map(),
        asked: new Map(),
        connects: new Set(),
        seen: 0,
        complaints: [],
      };
      trials.set(batch.id, trial);
      const place = join(home, String(index));
      mkdirSync(place);
      try {
        await run(batch, place, proxy.url, (outcome, library) => compare(trial, outcome, library, tally));
        assert.deepEqual(
          [...trial.complaints, ...strangers],
          [],
          `${JSON.stringify(callOf(batch))}\n${JSON.stringify(configOf(batch))}\n${JSON.stringify(environmentOf(batch))}\nproject ${JSON.stringify(batch.project && [batch.project.trusted, projectConfigOf(batch.project)])}\nflags ${JSON.stringify(batch.flags)} asked by ${batch.askedBy}\nexpected ${JSON.stringify(trial.expected.outcomes)}`,
        );
      } finally {
        trials.delete(batch.id);
        rmSync(place, { recursive: true, force: true });
      }
    },
    async close() {
      forgetNames();
      await Promise.all([...servers.map((server) => server.close()), elsewhere.close(), proxy.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

// Running it ----------------------------------------------------------------------------------------------------------

async function run(
  batch: Batch,
  place: string,
  proxyUrl: string,
  judged: (outcome: DelegationResult | DeputyError, library: Deputy) => Promise<void>,
): Promise<void> {
  const variables = environmentOf(batch);
  const isDotenv = batch.tasks.length === 2;
  const proxy = proxyUrl.replace("//", `//${batch.id}:x@`);
  const env = { PATH: "/usr/bin:/bin", HOME: place, HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  const { project } = batch;
  const directory = project === undefined ? place : join(place, ".config", "deputy");
  const configPath = write(directory, configOf(batch));
  if (isDotenv) {
    const lines = Object.entries(variables).map(([name, value]) => `${name}=${value}\n`);
    writeFileSync(join(directory, ".env"), lines.join(""));
  }
  if (project !== undefined) {
    const path = write(join(place, ".deputy"), projectConfigOf(project));
    if (project.trusted) trustConfig(path, stateDir(env));
  }
  const library = createDeputy({
    env: { ...env, ...(!isDotenv && variables) },
    cwd: place,
    ...(project === undefined && { configPath }),
    clock: hastyClock(),
    journal: createMemoryJournal(),
    parent: wishOf(batch.flags),
    ...(batch.hooked && { route: hookOf(batch) }),
  });
  try {
    const delegated = library.delegate(callOf(batch) as CallInput, { askedBy: batch.askedBy });
    await judged(await delegated.catch(asRefusal), library);
  } finally {
    await library.close();
  }
}

function write(directory: string, config: unknown): string {
  mkdirSync(directory, { recursive: true });
  const path = join(directory, "config.yaml");
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function asRefusal(error: unknown): DeputyError {
  if (error instanceof DeputyError && error.code === "nothing-to-run") return error;
  throw error;
}

function wishOf({ word, provider, effort }: Level) {
  assert.ok(word === undefined || typeof word.written === "string");
  return {
    ...(word && { model: word.written as string }),
    ...(provider !== undefined && { provider }),
    ...(effort && { effort }),
  };
}

function hookOf(batch: Batch): RouteHook {
  return (task) => {
    const index = batch.tasks.findIndex((_, at) => goalOf(batch, String(at)) === task.goal);
    const says = batch.tasks[index]?.hook;
    if (says === "throws") throw new Error("the hook is out of order");
    return says && wishOf(says);
  };
}

// Judging requests ----------------------------------------------------------------------------------------------------

/** The position of the route that this request is made on; undefined, with a complaint, if it matches none. */
function settlePosition(trial: OnTrial, path: string, request: ModelRequest): number | undefined {
  const outcome = outcomeAt(trial.expected, path);
  const routes = outcome !== undefined && "routes" in outcome ? outcome.routes : [];
  const wrong: string[] = [];
  for (let position = trial.positions.get(path) ?? 0; position < routes.length; position++) {
    const differences = differencesOf(request, routes[position] as Expected, trial.expected);
    if (differences.length === 0) {
      trial.positions.set(path, position);
      return position;
    }
    wrong.push(`position ${position}: ${differences.join(", ")}`);
  }
  complainOfKeys(trial, request);
  trial.complaints.push(
    `task ${path}: ${request.model} at ${request.headers.host}${request.path} is misrouted: ${wrong.join("; ") || "it may not run at all"}`,
  );
  return undefined;
}

/** The expectations for the task at a path. A delegated task's path is below its parent's. */
function outcomeAt({ outcomes }: ExpectedCall, path: string): Outcome | undefined {
  const [first = "", ...rest] = path.split(".");
  const outcome = outcomes[Number(first)];
  if (rest.length === 0) return outcome;
  const nested = outcome !== undefined && "routes" in outcome ? outcome.nested : undefined;
  return nested === undefined || nested.refused ? undefined : outcomeAt(nested, rest.join("."));
}

function taskAt({ tasks }: { tasks: readonly Task[] }, path: string): Task | undefined {
  const [first = "", ...rest] = path.split(".");
  const task = tasks[Number(first)];
  return rest.length === 0 || task === undefined ? task : taskAt(task.nested ?? { tasks: [] }, rest.join("."));
}

function differencesOf(request: ModelRequest, route: Expected, { owners }: Expectations): string[] {
  const origin = `http://${request.headers.host}`;
  const sent = keysIn(request.headers);
  const allowed = route.keys.map((key) => ({ ...key, header: key.header ?? HEADER_OF[route.apiMode] }));
  const key = allowed.find(
    ({ header, value }) => request.headers[header] === (header === "authorization" ? `Bearer ${value}` : value),
  );
  const thinks = (request.effort ?? request.thinkingBudget) !== undefined;
  const differences: [boolean, string][] = [
    [origin === route.origin, `origin ${origin}, not ${route.origin}`],
    [request.path.split("?")[0] === pathOf(route), `path ${request.path}, not ${pathOf(route)}`],
    [request.model === route.model, `model ${request.model}, not ${route.model}`],
    [
      thinks === (route.effort !== undefined) && [undefined, route.effort].includes(request.effort as never),
      `effort ${request.effort}, not ${route.effort}`,
    ],
    [
      route.keys.length === 0 ? Object.keys(sent).length === 0 : key !== undefined,
      `keys ${JSON.stringify(sent)}, not one of ${JSON.stringify(allowed)}`,
    ],
    [
      Object.values(sent).every((value) => owners.get(value) === origin),
      `a key at a foreign origin: ${JSON.stringify(sent)}`,
    ],
    [Object.keys(sent).length <= 1, `several keys: ${JSON.stringify(sent)}`],
    [
      request.headers["x-team"] === route.headers["x-team"],
      `x-team ${request.headers["x-team"]}, not ${route.headers["x-team"]}`,
    ],
  ];
  return differences.flatMap(([holds, words]) => (holds ? [] : [words]));
}

const HEADER_OF = {
  chat_completions: "authorization",
  responses: "authorization",
  anthropic_messages: "x-api-key",
  gemini: "x-goog-api-key",
} as const;

function pathOf({ baseUrl, apiMode, model }: Expected): string {
  const { pathname } = new URL(baseUrl);
  const base = pathname.replace(/\/$/, "");
  if (apiMode === "chat_completions") return `${base}/chat/completions`;
  if (apiMode === "responses") return `${base}/responses`;
  if (apiMode === "gemini") return `${base}/models/${model}:streamGenerateContent`;
  return `${base}${/\/v\d+$/.test(base) ? "" : "/v1"}/messages`;
}

/** Our keys in any header, and every other value sent as a key. */
function keysIn(headers: IncomingMessage["headers"]): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const text = String(value);
      const own = /sk-[\w-]+/.exec(text)?.[0];
      const isKeyHeader = ["authorization", "x-api-key", "x-goog-api-key"].includes(name);
      return own === undefined && !isKeyHeader ? [] : [[name, own ?? text]];
    }),
  );
}

function complainOfKeys({ expected, complaints }: OnTrial, { headers }: ModelRequest): void {
  for (const key of Object.values(keysIn(headers)))
    if (expected.owners.get(key) !== `http://${headers.host}`)
      complaints.push(`the key ${key} went to ${headers.host}`);
}

function answer(
  { batch, asked }: OnTrial,
  path: string,
  position: number,
  request: ModelRequest,
  elsewhere: string,
): Turn {
  const { nested, troubles = [] } = taskAt(batch, path) ?? {};
  const trouble = troubles[position];
  const place = `${path} ${position}`;
  const before = asked.get(place) ?? 0;
  asked.set(place, before + 1);
  if (trouble === undefined || (!trouble.lasts && before > 0)) {
    const hasDelegated = request.messages.some(({ toolResults }) => toolResults.length > 0);
    if (nested === undefined || hasDelegated) return { text: "done" };
    return { toolCalls: [{ name: "delegate_task", input: nestedCallOf(batch, nested, path) }] };
  }
  if (trouble.kind === "redirect") return { fault: { kind: "redirect", location: `${elsewhere}/v1/chat/completions` } };
  return { fault: { kind: trouble.kind } };
}

// Judging results -----------------------------------------------------------------------------------------------------

async function compare(
  trial: OnTrial,
  outcome: DelegationResult | DeputyError,
  library: Deputy,
  tally: Tally,
): Promise<void> {
  const { expected, complaints, seen, batch } = trial;
  tally.batches += 1;
  if (batch.project !== undefined) tally.projects += 1;
  if (batch.maxCostUsd !== undefined || batch.callMaxCostUsd !== undefined) tally.budgeted += 1;
  if (outcome instanceof DeputyError) {
    tally.refused += 1;
    if (!expected.refused) complaints.push(`refused: ${outcome.message}`);
    if (seen > 0) complaints.push(`${seen} requests of a batch that was refused`);
    return;
  }
  if (expected.refused) complaints.push("started, and should have been refused as a whole");
  tally.requests += seen;
  await compareAll(trial, outcome, { ...expected, tasks: batch.tasks, above: "" }, library, tally);
}

/** The results of a delegation, followed by those of its children's delegations. */
async function compareAll(
  trial: OnTrial,
  { results }: DelegationResult,
  { outcomes, tasks, above }: ExpectedCall & { tasks: readonly Task[]; above: string },
  library: Deputy,
  tally: Tally,
): Promise<void> {
  const { complaints } = trial;
  if (results.length !== tasks.length) complaints.push(`${results.length} results`);
  for (const [index, result] of results.entries()) {
    const [outcome, task, path] = [outcomes[index], tasks[index], `${above}${index}`];
    if (outcome === undefined || task === undefined) continue;
    compareTask(trial, path, { outcome, task, result }, tally);
    if (!("nested" in outcome) || outcome.nested === undefined || task.nested === undefined) continue;
    const under = await library.run(`${result.child_id}.1`).catch((error: unknown) => {
      if (error instanceof DeputyError) return undefined;
      throw error;
    });
    if (outcome.nested.refused !== (under === undefined))
      complaints.push(
        `what task ${path} delegated ${under === undefined ? "was refused" : "should have been refused"}`,
      );
    tally.nestedRefused += under === undefined ? 1 : 0;
    tally.nested += under === undefined ? 0 : task.nested.tasks.length;
    if (under !== undefined)
      await compareAll(
        trial,
        resultsOf(under.run),
        { ...outcome.nested, tasks: task.nested.tasks, above: `${path}.` },
        library,
        tally,
      );
  }
}

type Judged = { outcome: Outcome; task: Task; result: Result };

function compareTask(
  { complaints, asked, connects }: OnTrial,
  path: string,
  { outcome, task, result }: Judged,
  tally: Tally,
): void {
  tally.tasks += 1;
  if ("problem" in outcome) {
    tally.rejected += 1;
    if (result.status !== "rejected")
      complaints.push(`task ${path} is ${result.status}; expected a problem: ${outcome.problem}`);
    return;
  }
  const { routes } = outcome;
  const { position, fails } = endOf(routes, task);
  const route = routes[position] as Expected;
  tally.fallbacks += position > 0 ? 1 : 0;
  tally.substituted += outcome.substituted ? 1 : 0;
  tally.pooled += route.keys.length > 1 ? 1 : 0;
  tally.out += routes.some(isOutside) ? 1 : 0;
  for (const by of Object.values(route.chosenBy)) if (by !== null) tally.chosenBy[by] = (tally.chosenBy[by] ?? 0) + 1;
  for (let at = 0; at <= position; at++)
    if (
      !(isOutside(routes[at] as Expected) ? connects.has(hostOf(routes[at] as Expected)) : asked.has(`${path} ${at}`))
    )
      complaints.push(`task ${path} never asked ${JSON.stringify(routes[at])}`);
  const told = {
    status: result.status,
    provider: result.provider,
    model: result.model,
    effort: result.reasoning_effort,
    endpoint: result.route?.endpoint,
    chosenBy: result.route?.chosen_by,
    fallbackUsed: result.route?.fallback_used,
    key:
      result.route?.key_name === null ||
      route.keys.some(({ name }) => name === result.route?.key_name) ||
      `${result.route?.key_name}`,
  };
  const right = {
    status: fails ? "failed" : "completed",
    provider: route.provider,
    model: route.model,
    effort: route.effort ?? null,
    endpoint: new URL(route.baseUrl).host,
    chosenBy: route.chosenBy,
    fallbackUsed: position > 0 || outcome.substituted,
    key: true,
  };
  try {
    assert.deepEqual(told, right);
  } catch {
    complaints.push(
      `task ${path} tells ${JSON.stringify(told)}; expected ${JSON.stringify(right)}; ${JSON.stringify(result.error)}`,
    );
  }
}

function hostOf({ origin }: Expected): string {
  return `${new URL(origin).hostname}:443`;
}

function heardOfConnect(host: string, trial: OnTrial | undefined, headers: IncomingMessage["headers"]): void {
  const routesOf = ({ outcomes }: ExpectedCall): Expected[] =>
    outcomes.flatMap((outcome) =>
      "routes" in outcome ? [...outcome.routes, ...(outcome.nested ? routesOf(outcome.nested) : [])] : [],
    );
  const isExpected = trial !== undefined && routesOf(trial.expected).some((route) => hostOf(route) === host);
  if (!isExpected) trial?.complaints.push(`a connection to ${host}`);
  trial?.connects.add(host);
  const { "proxy-authorization": _, ...others } = headers;
  if (/sk-/.test(JSON.stringify(others))) trial?.complaints.push(`a key went to the proxy: ${JSON.stringify(others)}`);
}

// The ground ----------------------------------------------------------------------------------------------------------

async function listen(heard: (incoming: IncomingMessage) => void) {
  const server = createServer((incoming, response) => {
    heard(incoming);
    response.writeHead(500).end();
  });
  return opened(server);
}

/** Lets names of the local network lead to this machine. @returns ends it */
function resolveHere(hosts: readonly string[]): () => void {
  const { lookup } = dns;
  const here = (host: string, options: dns.LookupOptions, found: (...answer: unknown[]) => void) => {
    if (!hosts.includes(host)) return lookup(host, options, found);
    const address = { address: "127.0.0.1", family: 4 };
    process.nextTick(() => (options.all ? found(null, [address]) : found(null, address.address, address.family)));
  };
  Object.assign(dns, { lookup: here });
  return () => void Object.assign(dns, { lookup });
}

/** Rejects every request, and reports whose it was. */
async function listenAsProxy(refused: (host: string, batchId: string, headers: IncomingMessage["headers"]) => void) {
  const server = createServer((_, response) => void response.writeHead(403).end());
  server.on("connect", (incoming, socket: Socket) => {
    socket.on("error", () => {});
    const login = Buffer.from(String(incoming.headers["proxy-authorization"]).slice("Basic ".length), "base64");
    refused(incoming.url ?? "", login.toString().split(":")[0] ?? "", incoming.headers);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  return opened(server);
}

async function opened(server: ReturnType<typeof createServer>) {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
