/** A child whose commands run in a sandbox, with the real program: a home with secrets, and what they must not reach. */
import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { isWithin } from "../../src/values/path-within.ts";
import { createProviders, launch, type Process, type Providers, stepOf } from "./end-to-end.ts";

export type TerminalCall = {
  command: string;
  background?: boolean;
  timeout_seconds?: number;
  outside_sandbox?: string;
  read?: string[];
};

/** A call, its result, and its events. */
export type Called = { text: string; ok: boolean; sandboxed: unknown };

export const SECRET = "secret-that-must-not-get-in";

export type SandboxStage = {
  base: string;
  home: string;
  project: string;
  /** A directory next to the home. */
  outside: string;
  state: string;
  /** A process of the user. */
  bystander: ChildProcess;
  /** Loopback port of a service of the user. */
  port: number;
  /** Lines of what reached that service, or one of its sockets. */
  reached: string[];
  socket: string;
  abstractSocket: string;
  env: Record<string, string>;
  read(path: string): string;
  deputy(...argv: string[]): Process;
  /** With other variables. */
  deputyWith(env: Record<string, string>, ...argv: string[]): Process;
  /** A task file for a child that makes these calls. */
  task(calls: readonly TerminalCall[]): string;
  /** Runs one child that makes these calls, and returns their results in order. */
  callAll(calls: readonly TerminalCall[], flags?: readonly string[]): Promise<Called[]>;
  /** Starts such a child. */
  begin(calls: readonly TerminalCall[], flags?: readonly string[]): Promise<Process>;
  /** The events of the child of a run. */
  events(id: string): Promise<Record<string, unknown>[]>;
  close(): Promise<void>;
};

/** Without the toolchains of whoever runs the tests: they find their files by the home directory. */
const PROGRAMS = (process.env.PATH ?? "")
  .split(":")
  .filter((path) => !isWithin(homedir(), path))
  .join(":");

const CONFIG = "terminal: { sandboxed: allow }\n";

/** @param directory that nothing else is in. @param config of the user */
export async function openSandboxStage(directory: string, config = CONFIG): Promise<SandboxStage> {
  const base = realpathSync(directory);
  const [home, outside, state] = [join(base, "home"), join(base, "outside"), join(base, "home/.local/state/deputy")];
  const project = join(home, "project");
  const write = (path: string, text: string) => {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  write(join(home, ".ssh/id_ed25519"), SECRET);
  write(join(home, ".config/deputy/config.yaml"), `# ${SECRET}\n${config}`);
  write(join(home, ".local/share/deputy/work/other/secret.txt"), SECRET);
  write(join(home, ".bashrc"), "# as it was\n");
  write(join(home, ".gitconfig"), "[user]\n\tname = Ann\n\temail = ann@example.com\n");
  write(join(home, ".cargo/credentials.toml"), SECRET);
  write(join(home, ".cargo/bin/tool"), "#!/bin/sh\necho tool of the user\n");
  chmodSync(join(home, ".cargo/bin/tool"), 0o755);
  write(join(outside, "secret.txt"), SECRET);
  write(join(project, "a.txt"), "a\n");
  symlinkSync(outside, join(project, "way-out"));
  const git = (...args: string[]) =>
    execFileSync("git", args, { cwd: project, env: { PATH: process.env.PATH, HOME: home } });
  git("init", "-q");
  git("add", "a.txt");
  git("commit", "-q", "-m", "first");

  const reached: string[] = [];
  const socket = join(outside, "service.sock");
  const abstractSocket = `\0deputy-test-${process.pid}-${Date.now()}`;
  const services = [0, socket, abstractSocket].map((place) => service(place, reached));
  const [tcp] = await Promise.all(services);
  const address = tcp?.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const bystander = spawn("sleep", ["300"], { env: { BYSTANDER: SECRET }, stdio: "ignore" });

  let calls: readonly TerminalCall[] = [];
  const providers = await createProviders(["zai"], (request) => turnFor(request, calls));
  const env = { PATH: PROGRAMS, HOME: home, SSH_AUTH_SOCK: socket, TEST_STAGE: base, ...providers.env };
  const deputyWith = (more: Record<string, string>, ...argv: string[]) =>
    launch(argv, { cwd: project, env: { ...env, ...more } });
  const deputy = (...argv: string[]) => deputyWith({}, ...argv);

  function task(wanted: readonly TerminalCall[]): string {
    calls = wanted;
    write(join(base, "tasks.json"), JSON.stringify([{ goal: "Go.", provider: "zai" }]));
    return join(base, "tasks.json");
  }

  async function begin(wanted: readonly TerminalCall[], flags: readonly string[] = []): Promise<Process> {
    return deputy("run", task(wanted), "--json", ...flags);
  }

  async function events(id: string): Promise<Record<string, unknown>[]> {
    const { stdout } = await deputy("show", `${id}.1`, "--json").ended;
    return JSON.parse(stdout).events;
  }

  return {
    ...{
      base,
      home,
      project,
      outside,
      state,
      bystander,
      port,
      reached,
      socket,
      abstractSocket,
      env,
      deputy,
      deputyWith,
      task,
      begin,
      events,
    },
    read: (path) => readFileSync(join(base, path), "utf8"),
    async callAll(wanted, flags) {
      const { code, stdout, stderr } = await (await begin(wanted, flags)).ended;
      assert.equal(code, 0, stderr);
      return resultsIn(providers, await events(JSON.parse(stdout).delegation_id));
    },
    async close() {
      bystander.kill("SIGKILL");
      await providers.close();
      for (const each of await Promise.all(services)) each.close();
    },
  };
}

function service(place: number | string, reached: string[]): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer((connection) => {
      reached.push(String(place));
      connection.on("error", () => {}).end("reached\n");
    });
    if (typeof place === "number") server.listen(place, "127.0.0.1", () => resolve(server));
    else server.listen(place, () => resolve(server));
  });
}

function turnFor(request: ModelRequest, calls: readonly TerminalCall[]): Turn {
  const call = calls[stepOf(request) - 1];
  return call === undefined ? { text: "Done." } : { toolCalls: [{ name: "terminal", input: call }] };
}

function resultsIn({ arrivals }: Providers, events: readonly Record<string, unknown>[]): Called[] {
  const results = arrivals.at(-1)?.request.messages.flatMap(({ toolResults }) => toolResults) ?? [];
  const ends = events.filter(({ kind }) => kind === "tool-end").slice(-results.length);
  return results.map(({ text }, index) => ({
    text,
    ok: ends[index]?.ok === true,
    sandboxed: ends[index]?.sandboxed,
  }));
}
