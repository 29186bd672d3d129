/**
 * A child that reads more than its model's window, killed with SIGKILL at any moment and resumed: every request that the
 * vendor receives must be one of an undisturbed run, in its order. The model's answer follows from the request alone.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createModelServer, type ModelRequest, type ModelServer, type Turn } from "../../src/testing/index.ts";
import { launch } from "./end-to-end.ts";

/** Files that the child reads, one after the other. */
const PAGES = 60;
const WINDOW = 14_000;

export type LongChild = {
  server: ModelServer;
  /** @param killAfter milliseconds after the request with this number, from 1, at which the process is killed */
  run(state: string, killAfter?: Kill): Promise<{ wasKilled: boolean }>;
  resume(state: string, killAfter?: Kill): Promise<{ wasKilled: boolean }>;
  /** Bodies since the last call, in order of arrival. */
  bodies(): string[];
  close(): Promise<void>;
};

export type Kill = { request: number; delayMs: number };

export async function createLongChild(place: string): Promise<LongChild> {
  const work = join(place, "work");
  mkdirSync(work, { recursive: true });
  for (let page = 0; page < PAGES; page++) writeFileSync(join(work, `page-${page}.txt`), `Page ${page}. `.repeat(260));
  let arrived: (() => void) | undefined;
  const server = await createModelServer({
    script: (request) => {
      arrived?.();
      return answerTo(request);
    },
  });
  writeFileSync(join(place, "config.yaml"), JSON.stringify(configFor(server.url)));
  let seen = 0;

  async function start(argv: readonly string[], state: string, kill: Kill | undefined) {
    const env = { HOME: place, DEPUTY_STATE_DIR: join(place, state), PATH: process.env.PATH ?? "" };
    const child = launch([...argv, "--config", join(place, "config.yaml"), "--json"], { cwd: work, env });
    let left = kill?.request ?? Number.POSITIVE_INFINITY;
    let wasKilled = false;
    arrived = () => {
      left -= 1;
      if (left !== 0) return;
      setTimeout(() => {
        wasKilled = !child.isOver();
        child.child.kill("SIGKILL");
      }, kill?.delayMs);
    };
    const { code, stderr } = await child.ended;
    arrived = undefined;
    if (!wasKilled) assert.equal(code, 0, stderr);
    return { wasKilled };
  }

  return {
    server,
    run: (state, kill) => start(["run", "--goal", "Read all pages."], state, kill),
    resume: (state, kill) => start(["resume", "--last"], state, kill),
    bodies() {
      const bodies = server.requests.slice(seen).map(({ body }) => JSON.stringify(body));
      seen = server.requests.length;
      return bodies;
    },
    close: server.close,
  };
}

function configFor(url: string): object {
  const facts = { context_window: WINDOW, max_output_tokens: 500, price: { input: 1, output: 1 } };
  return {
    provider: "lab",
    providers: { lab: { base_url: `${url}/v1`, default_model: "reader-1", models: { "reader-1": facts } } },
    delegation: { max_iterations: 200 },
  };
}

/** Reads the page after the newest one that the conversation, or its summary, says was read. */
function answerTo({ tools, body }: ModelRequest): Turn {
  const text = JSON.stringify(body.messages);
  const usage = { input: Math.ceil(text.length / 4), output: 20 };
  const read = [...text.matchAll(/I read page (\d+)\./g)].map(([, page]) => Number(page));
  const page = Math.max(-1, ...read) + 1;
  if (tools.length === 0) return { text: `Done: I read page ${page - 1}. Open: the next ones.`, usage };
  if (page === PAGES) return { text: "All pages are read.", usage };
  const call = { id: `call_${page}`, name: "read_file", input: { path: `page-${page}.txt` } };
  return { text: `I read page ${page}. ${"It is long. ".repeat(80)}`, toolCalls: [call], usage };
}

/** @throws AssertionError if a request is not one of the undisturbed run's, or comes before its turn */
export function assertSameCourse(received: readonly string[], undisturbed: readonly string[]): void {
  let at = 0;
  for (const [index, body] of received.entries()) {
    if (body === undisturbed[at]) at += 1;
    else if (body !== undisturbed[at - 1]) assert.equal(body, undisturbed[at], `request ${index + 1}, after ${at}`);
  }
  assert.equal(at, undisturbed.length, "requests that never came");
}
