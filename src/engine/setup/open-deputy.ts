/** Assembles Deputy for one process: config and keys from its environment, the journal in the state directory. */
import { randomBytes } from "node:crypto";
import { join, resolve } from "node:path";
import { createSchemaChecker } from "../../child/schema/schema-checker.ts";
import { createModel } from "../../child/wire/model.ts";
import { type Clock, systemClock } from "../../clock.ts";
import type { LoadedConfig } from "../../config/load.ts";
import { stateDir, worktreesDir } from "../../config/trust.ts";
import type { Journal } from "../../journal/journal.ts";
import { openSqliteJournal } from "../../journal/sqlite/sqlite-journal.ts";
import type { RouteHook } from "../../routing/resolve/hook.ts";
import type { Routing } from "../../routing/routing.ts";
import type { Environment } from "../../template.ts";
import { present } from "../../values/present.ts";
import { createWorktrees } from "../../worktree/worktrees.ts";
import { createEngine, type Engine } from "../engine.ts";
import { createScheduler } from "../limits/scheduler.ts";
import { createErrorLog, type LogError } from "./error-log.ts";
import { createServers } from "./mcp-servers.ts";
import { openTransport } from "./open-transport.ts";
import { serverFetch } from "./server-fetch.ts";
import { createSetups } from "./setup.ts";
import { createUserTools, type UserTools } from "./user-tools.ts";

export type OpenOptions = {
  /** Source of keys, proxies and `DEPUTY_*` variables. */
  env: Environment;
  /** Directory from which configs are searched. */
  cwd: string;
  /** A config file to use instead of the ones that would be found. */
  configPath?: string;
  /** Default: `journal.sqlite` in the state directory. */
  journal?: Journal;
  clock?: Clock;
  /** Hides variables of this process from child processes; absent if the environment is not this process's own. */
  hideVariables?: ((names: readonly string[]) => void) | undefined;
  /** Returns numbers from 0 to 1, for jitter. */
  random?: () => number;
  /** Warns the user of something that failed outside the runs, such as a hook. Default: a warning of the process. */
  warn?: (message: string) => void;
  /** Chooses a route for each task: it overrides the config's rules; agent, call and task override it. */
  route?: RouteHook;
};

export type Opened = {
  engine: Engine;
  loadConfig(): LoadedConfig;
  /** Returns the current providers, keys and models. */
  routing(): Routing;
  /** Tools of a workspace, for the user. */
  userTools(workspace: string): UserTools;
  /** Writes the stack of a bug in Deputy to `errors.log` in the state directory. */
  logError: LogError;
};

/** @throws DeputyError `journal-unusable` */
export async function openDeputy({
  env,
  cwd,
  configPath,
  clock = systemClock,
  random = Math.random,
  warn = (message) => process.emitWarning(message, "DeputyWarning"),
  ...given
}: OpenOptions): Promise<Opened> {
  const journal = given.journal ?? openSqliteJournal({ stateDir: stateDir(env), clock });
  const transport = openTransport(env);
  const logError = createErrorLog(join(stateDir(env), "errors.log"), clock);
  const { hideVariables } = given;
  const servers = createServers(clock, serverFetch(transport));
  const setup = createSetups({ env, cwd, clock, hideVariables, servers, ...present({ configPath }) });
  const engine = createEngine({
    clock,
    random,
    journal,
    scheduler: createScheduler({ clock, random }),
    model: createModel({ transport, clock }),
    schemas: createSchemaChecker(),
    logError,
    worktrees: createWorktrees({ env, directory: resolve(worktreesDir(env)), pid: process.pid }),
    warn,
    newId,
    setup,
    ...present({ route: given.route }),
    async closeConnections() {
      await servers.close();
      await transport.close();
    },
    pid: process.pid,
  });
  const userTools = (workspace: string) => createUserTools(setup(), { workspace });
  return { engine, loadConfig: () => setup().loaded, routing: () => setup().routing, userTools, logError };
}

/** Letters and digits that are not easily confused. */
const ALPHABET = "abcdefghjkmnpqrstvwxyz23456789";
const ID_LENGTH = 8;

/** An id short enough to type: eight characters, about 39 bits. */
function newId(): string {
  return Array.from(randomBytes(ID_LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
}
