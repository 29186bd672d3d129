/**
 * The real program in its own processes, and scripted providers that it reaches over real HTTP. Tests check the effects
 * at the servers, on the disk and among the processes of the machine.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiMode } from "../../src/route.ts";
import { createModelServer, type ModelRequest, type ModelServer, type Turn } from "../../src/testing/index.ts";

export const ROOT = join(import.meta.dirname, "../..");
export const PROGRAM = join(ROOT, "bin/deputy");

export type Ended = { code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string };

export type Process = {
  readonly pid: number;
  readonly child: ChildProcess;
  stdout(): string;
  stderr(): string;
  ended: Promise<Ended>;
  isOver(): boolean;
};

export type Surroundings = {
  cwd: string;
  env: Record<string, string>;
  /** Empty by default. */
  stdin?: string | Uint8Array;
  /** Keeps standard input open for the test to write to. */
  keepsStdin?: true;
  /** User to run as. Default: the user who runs the tests. */
  uid?: number;
};

/** Starts the program as a user would, with this environment and our PATH. */
export function launch(argv: readonly string[], surroundings: Surroundings): Process {
  return launchCommand([PROGRAM, ...argv], surroundings);
}

/** Starts any command in the same way. */
export function launchCommand([file = "", ...args]: readonly string[], surroundings: Surroundings): Process {
  const { cwd, env, stdin, keepsStdin, uid } = surroundings;
  const child = spawn(file, args, {
    cwd,
    env: { PATH: process.env.PATH ?? "", ...env },
    ...(uid !== undefined && { uid }),
  });
  const { promise: ended, resolve } = Promise.withResolvers<Ended>();
  let [stdout, stderr, over] = ["", "", false];
  child.stdout.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (stderr += text));
  child.stdin.on("error", () => {}); // it may end without reading
  if (!keepsStdin) child.stdin.end(stdin);
  child.on("close", (code, signal) => {
    over = true;
    resolve({ code, signal, stdout, stderr });
  });
  assert.ok(child.pid !== undefined, `${file} cannot be started`);
  return { pid: child.pid, child, stdout: () => stdout, stderr: () => stderr, ended, isOver: () => over };
}

// Providers ----------------------------------------------------------------------------------------------------------

type Provider = {
  apiMode: ApiMode;
  keyVariable: string;
  urlVariable: string;
  /** Request fields that it accepts in addition to those of its wire format. */
  extraFields?: readonly string[];
};

export const PROVIDERS = {
  zai: { apiMode: "chat_completions", keyVariable: "GLM_API_KEY", urlVariable: "GLM_BASE_URL" },
  openai: { apiMode: "responses", keyVariable: "OPENAI_API_KEY", urlVariable: "OPENAI_BASE_URL" },
  anthropic: { apiMode: "anthropic_messages", keyVariable: "ANTHROPIC_API_KEY", urlVariable: "ANTHROPIC_BASE_URL" },
  gemini: { apiMode: "gemini", keyVariable: "GEMINI_API_KEY", urlVariable: "GEMINI_BASE_URL" },
  openrouter: {
    apiMode: "chat_completions",
    keyVariable: "OPENROUTER_API_KEY",
    urlVariable: "OPENROUTER_BASE_URL",
    extraFields: ["reasoning"],
  },
  xai: { apiMode: "responses", keyVariable: "XAI_API_KEY", urlVariable: "XAI_BASE_URL" },
} as const satisfies Record<string, Provider>;

export type Slug = keyof typeof PROVIDERS;

export type Arrival = { slug: Slug; request: ModelRequest };

export type Providers = {
  /** Environment variables with the providers' addresses and keys. */
  readonly env: Record<string, string>;
  readonly keys: Partial<Record<Slug, string>>;
  server(slug: Slug): ModelServer;
  /** All requests to all providers, in order of arrival. */
  readonly arrivals: readonly Arrival[];
  /** Fails if a script failed because of an unexpected request. */
  checkScripts(): void;
  close(): Promise<void>;
};

/**
 * Starts scripted providers on loopback, each of which checks its own key.
 * @param spareKeys further keys that a provider accepts, by name
 */
export async function createProviders(
  slugs: readonly Slug[],
  script: (request: ModelRequest, slug: Slug) => Turn | Promise<Turn>,
  spareKeys: Partial<Record<Slug, Record<string, string>>> = {},
): Promise<Providers> {
  const arrivals: Arrival[] = [];
  const servers = new Map<Slug, ModelServer>();
  const env: Record<string, string> = {};
  const keys: Partial<Record<Slug, string>> = {};
  for (const slug of slugs) {
    const { apiMode, keyVariable, urlVariable, extraFields = [] }: Provider = PROVIDERS[slug];
    const key = `sk-${slug}-${randomBytes(20).toString("hex")}`;
    const server = await createModelServer({
      keys: { [keyVariable]: key, ...spareKeys[slug] },
      extraFields,
      script: (request) => {
        arrivals.push({ slug, request });
        return script(request, slug);
      },
    });
    servers.set(slug, server);
    keys[slug] = key;
    Object.assign(env, { [keyVariable]: key, [urlVariable]: server.baseUrl(apiMode) });
  }
  return {
    env,
    keys,
    server: (slug) => servers.get(slug) ?? assert.fail(`no server plays ${slug}`),
    arrivals,
    checkScripts() {
      for (const { scriptErrors } of servers.values()) assert.deepEqual(scriptErrors, []);
    },
    close: async () => void (await Promise.all([...servers.values()].map((server) => server.close()))),
  };
}

/** The child's first message, which contains its task. */
export function taskOf({ messages }: ModelRequest): string {
  return messages[0]?.text ?? "";
}

/** Number of the step that a child requests, from 1. */
export function stepOf({ messages }: ModelRequest): number {
  return messages.filter(({ role }) => role === "assistant").length + 1;
}

// Processes ----------------------------------------------------------------------------------------------------------

/** Processes that were started with this text in their environment. Requires /proc. */
export function processesWith(text: string): number[] {
  if (!existsSync("/proc/self/environ")) return [];
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => pid > 0 && environmentOf(pid).includes(text));
}

/** A process as `ps` lists it. */
export function commandOf(pid: number): string {
  return `${pid} ${factOf(pid, "cmdline").replaceAll("\0", " ")}(${/State:\s*(.*)/.exec(factOf(pid, "status"))?.[1]})`;
}

function environmentOf(pid: number): string {
  return factOf(pid, "environ");
}

function factOf(pid: number, name: string): string {
  try {
    return readFileSync(`/proc/${pid}/${name}`, "latin1");
  } catch {
    return ""; // it has just ended, or is another user's
  }
}
