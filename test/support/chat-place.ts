/**
 * A place to test a chat: a home with a config and the keys of three scripted providers, and a real or in-process
 * terminal.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { openDeputy } from "../../src/engine/setup/open-deputy.ts";
import { createMemory, createMemoryJournal } from "../../src/journal/memory.ts";
import type { ModelRequest, Turn } from "../../src/testing/index.ts";
import { speak } from "./chat-models.ts";
import { start, until } from "./command-line.ts";
import { createProviders, type Slug } from "./end-to-end.ts";

const CONFIG = `
provider: zai
model: glm-5.3
models:
  small: glm-4.5-air
  large: { model: claude-opus-4-5, provider: anthropic }
`;

export type Scene = {
  /** The models' answers, if they differ from `speak`. */
  script?: (request: ModelRequest, slug: Slug) => Turn | Promise<Turn>;
  /** Lines of the config, appended to those of every scene. */
  config?: string;
  /** More variables of the environment. */
  env?: Record<string, string>;
};

export async function chatPlace(t: TestContext, { script = speak, config = "", env: more = {} }: Scene = {}) {
  const providers = await createProviders(["zai", "openrouter", "anthropic"], script);
  t.after(providers.close);
  const root = mkdtempSync(join(tmpdir(), "deputy-chat-"));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  mkdirSync(join(root, "work"));
  writeFileSync(join(root, "work/README.md"), "A project.\n");
  const configPath = join(root, "config.yaml");
  writeFileSync(configPath, CONFIG + config);
  const env: Record<string, string> = {
    HOME: root,
    DEPUTY_STATE_DIR: join(root, "state"),
    DEPUTY_CONFIG: configPath,
    ...providers.env,
    ...more,
  };
  /** `model @ provider` of every request of a child, sorted. */
  const children = (from = 0) =>
    providers.arrivals
      .slice(from)
      .filter(({ request }) => !isParents(request))
      .map(({ slug, request }) => `${request.model} @ ${slug}`)
      .sort();
  return { providers, root, cwd: join(root, "work"), env, configPath, children };
}

export function isParents({ tools }: ModelRequest): boolean {
  return tools.some(({ name }) => name === "delegate_task");
}

/** Children that answer only when the test allows it. */
export function heldBack() {
  const { promise: released, resolve: letGo } = Promise.withResolvers<void>();
  const script = async (request: ModelRequest) => {
    if (!isParents(request)) await released;
    return speak(request);
  };
  return { letGo, script };
}

/** A chat in this process, at a simulated terminal. */
export async function chatHere(t: TestContext, scene: Scene = {}, flags: string[] = []) {
  const here = await chatPlace(t, scene);
  const memory = createMemory();
  const open = (more: string[] = []) => {
    const invocation = start(["chat", ...flags, ...more], {
      cwd: here.cwd,
      env: here.env,
      terminal: true,
      open: (options) => openDeputy({ ...options, journal: createMemoryJournal({ memory }) }),
    });
    const text = () => stripVTControlCharacters(invocation.stdout()).replaceAll("\r", "");
    let seen = 0;
    /** Waits until something new is written. */
    const see = async (expected: string | RegExp) => {
      const find = () =>
        typeof expected === "string" ? text().indexOf(expected, seen) : text().slice(seen).search(expected) + seen;
      try {
        await until(() => find() >= seen);
      } catch {
        throw new Error(`Waited in vain for ${expected}. The screen:\n${text()}`);
      }
      seen = find() + 1;
    };
    return {
      ...invocation,
      text,
      see,
      type: (keys: string) => void invocation.stdin.write(keys),
      say: (line: string) => void invocation.stdin.write(`${line}\r`),
      /** Ctrl-D. */
      async leave() {
        await see("> ");
        invocation.stdin.write("\x04");
        here.providers.checkScripts();
        return invocation.code;
      },
    };
  };
  const chat = open();
  await chat.see("> ");
  return { ...here, ...chat, open };
}
