/** The environment of a delegation, read again for each one: config, routing, keys, tools. */
import { statSync } from "node:fs";
import { resolve } from "node:path";
import type { AvailableModels, ModelFilter } from "../../available-models.ts";
import { createProtection } from "../../child/file-rules.ts";
import { type Notes, projectNotes } from "../../child/notes.ts";
import type { Clock } from "../../clock.ts";
import { commandEnvironment, divideEnvironment } from "../../config/environment.ts";
import { type ConfigPlace, configTexts, type LoadedConfig, loadConfig, trustedProject } from "../../config/load.ts";
import { ownFiles } from "../../config/own-files.ts";
import { findSkills, readSkillFile, type SkillBounds } from "../../config/skills/skills.ts";
import { stateDir } from "../../config/trust.ts";
import type { Config } from "../../config-schema.ts";
import type { Failure, Warning } from "../../errors.ts";
import type { Usage } from "../../event.ts";
import type { GivenFile } from "../../given-file.ts";
import type { OwnFiles } from "../../own-files.ts";
import type { BoundPaths, Ready } from "../../plan.ts";
import type { Route } from "../../route.ts";
import { listCacheStamp, readListCache } from "../../routing/catalog/list-cache.ts";
import type { LookAtFile } from "../../routing/files.ts";
import type { LookAtImage } from "../../routing/images.ts";
import { createRouting, type Routing } from "../../routing/routing.ts";
import type { Lease } from "../../secret.ts";
import type { Skill, Skills, SkillText } from "../../skill.ts";
import { bindPaths, isInPlace } from "../../system/bound-paths.ts";
import type { Environment } from "../../template.ts";
import { withHome } from "../../text/home-path.ts";
import type { PermissionRule, Tool } from "../../tool.ts";
import { readGivenFile } from "../../tools/files/given-file.ts";
import { type ImageFile, readImageFile } from "../../tools/files/image-file.ts";
import { relativeTo } from "../../tools/files/paths/file-subject.ts";
import { createOwnCheck } from "../../tools/files/paths/own-files.ts";
import { toolErrorText } from "../../tools/tool-error.ts";
import { createTools, type ToolsOptions } from "../../tools/toolsets.ts";
import { getOrMake } from "../../values/get-or-make.ts";
import { present } from "../../values/present.ts";
import type { ProviderLimits } from "../limits/rate-limiter.ts";
import { listAvailableModels } from "./list-available.ts";
import { NO_SERVERS, type Servers } from "./mcp-servers.ts";
import { formPoster } from "./post-form.ts";
import { createSandboxing, type Sandboxing } from "./sandboxing.ts";
import type { LeaseServerTools } from "./server-tools.ts";
import { webOptions } from "./web-options.ts";
import { type CallWebhook, webhookCaller } from "./webhook.ts";

export type Setup = Pick<Routing, "plan" | "refreshRoute" | "candidates"> & {
  config: Config;
  warnings: Warning[];
  /** Leases a key of the route's provider for one request. */
  lease(route: Route, signal: AbortSignal): Promise<Lease>;
  /** Returns why no key is available for the route now; undefined if one is, or none is needed. */
  whyKeyless(route: Route, signal: AbortSignal): Promise<Failure | undefined>;
  /** Removes every key that Deputy knows from a text. */
  redact(text: string): string;
  /** USD of one request; undefined if the price is unknown. */
  price(route: Route, usage: Usage): number | undefined;
  /** The operator's limits for a provider. */
  limitsOf(provider: string): ProviderLimits;
  tools(toolsets: readonly string[], place: WorkPlace): readonly Tool[];
  sandboxing: Sandboxing;
  /** Starts the MCP servers of a child's toolsets if necessary, and makes their tools. */
  serverTools: LeaseServerTools;
  isDirectory(path: string): boolean;
  /** Reads an image in a workspace, within its boundary. @throws ToolError, or an error of the system */
  readImage(place: WorkPlace, path: string): ImageFile;
  /** Reads a file of a task in a workspace, without known keys. @throws as `readImage` */
  readGivenFile(place: WorkPlace, path: string): GivenFile;
  /** Reads a workspace's notes for agents, within its boundary. */
  readNotes(place: WorkPlace): Promise<Notes>;
  /** Finds the skills of a workspace and of the user. */
  findSkills(place: WorkPlace): Promise<Skills>;
  /** Reads a file below the folder of a skill, without known keys. */
  readSkill(place: WorkPlace, skill: Skill, file: string): Promise<SkillText>;
  permissions: PermissionRule[];
  /** Environment of commands: without any provider's key. */
  commandEnvironment(): Record<string, string>;
  /** Sends a notification to the config's webhook; absent without one. */
  callWebhook?: CallWebhook;
  /** Models that a model may choose from. */
  listModels(filter?: ModelFilter): AvailableModels;
};

/** A child's workspace, and the real paths of it and the extra directories when the child was planned. */
export type WorkPlace = Pick<Ready, "workspace" | "realPaths" | "enclosing" | "copy">;

export type SetupPlace = {
  env: Environment;
  cwd: string;
  configPath?: string;
  clock?: Clock;
  /** Hides variables of this process from child processes; absent if the environment is not this process's own. */
  hideVariables?: ((names: readonly string[]) => void) | undefined;
  /** Starts and reaches MCP servers. Without it, children have no tools of servers. */
  servers?: Servers;
};

export type WholeSetup = Setup & { loaded: LoadedConfig; routing: Routing };

/** Returns the current setup: files are read at each call, and parsed again only if they changed. */
export function createSetups({ env, cwd, configPath, clock, hideVariables, servers }: SetupPlace): () => WholeSetup {
  const place = { env, cwd, ...present({ explicitPath: configPath }) };
  let last: { texts: string; setup: WholeSetup } | undefined;
  return () => {
    const own = ownFiles(place);
    const texts = `${configTexts(place)} ${listCacheStamp(stateDir(env))} ${JSON.stringify(own)}`;
    if (last?.texts !== texts)
      last = { texts, setup: readSetup({ ...place, hideVariables, ...present({ servers }) }, own, clock) };
    return last.setup;
  };
}

/** @throws DeputyError `config-invalid` */
function readSetup(
  place: ConfigPlace & Pick<SetupPlace, "hideVariables" | "servers">,
  own: OwnFiles,
  clock: Clock | undefined,
): WholeSetup {
  const loaded = loadConfig(place);
  const { config } = loaded;
  const env = { ...loaded.dotenv, ...place.env };
  const lists = readListCache(stateDir(place.env));
  const extraDirs = config.extra_dirs.map((dir) => resolve(place.cwd, withHome(dir, env.HOME)));
  const bind = ({ workspace, realPaths }: WorkPlace) => bindPaths([workspace, ...extraDirs], realPaths);
  const protectionOf = createProtection({ rules: config.permissions, otherwise: config.delegation.approvals });
  const sandboxing = createSandboxing(config, { env, cwd: place.cwd, extraDirs, own });
  const { readImage, readFile } = fileReaders({ extraDirs, own, bind, protectionOf });
  const routing = createRouting({
    config,
    levels: loaded.levels,
    env,
    lists,
    untrustedAliases: loaded.untrustedAliases,
    agents: loaded.agents,
    extraDirs,
    isOwn: (path) => createOwnCheck(own).isOwn(path),
    terminalProblem: sandboxing.terminalProblem,
    lookAtImage: (workspace, path) => lookAtImage(() => readImage({ workspace }, path)),
    lookAtFile: (workspace, path) => lookAtFile(() => readFile({ workspace }, path)),
    postForm: formPoster(env),
    ...present({ clock }),
  });
  const { credentials, catalog, providers } = routing;
  const { redact } = credentials;
  const environment = environmentOfCommands(place, env, credentials, config.terminal.env);
  const { servers = NO_SERVERS } = place;
  return {
    ...{ loaded, routing, config },
    warnings: [...loaded.warnings, ...lists.warnings],
    ...{ plan: routing.plan, refreshRoute: routing.refreshRoute, candidates: routing.candidates },
    lease: credentials.lease,
    whyKeyless: credentials.whyKeyless,
    redact,
    price: catalog.costUsd,
    limitsOf: (slug) => limitsAt(providers.find(slug)),
    sandboxing,
    tools: toolMaker(config, {
      ...{ extraDirs, own, bind, environment, redact, sandboxing, web: webOptions(config, credentials, env) },
    }),
    serverTools: servers.leaser({ config, env, cwd: place.cwd, environment, redact }),
    commandEnvironment: environment,
    ...webhookOf(config, env),
    isDirectory: (path) => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true,
    readImage,
    readGivenFile(place, path) {
      const file = readFile(place, path);
      return { ...file, text: credentials.redact(file.text) };
    },
    ...textReaders(
      { extraDirs, own, bind, protectionOf, redact },
      { env: place.env, trusted: trustedProject(loaded.files) },
    ),
    permissions: config.permissions,
    listModels: modelLister({ routing, config, cwd: place.cwd }),
  };
}

function webhookOf({ notify: { webhook } }: Config, env: Environment): Pick<Setup, "callWebhook"> {
  return webhook === undefined ? {} : { callWebhook: webhookCaller(webhook, env) };
}

/** Lists without a filter are kept: they are in every prompt of a delegating model. */
function modelLister(source: Parameters<typeof listAvailableModels>[0]): Setup["listModels"] {
  let offered: AvailableModels | undefined;
  const look = (what: ModelFilter) => listAvailableModels(source, what, "model");
  return (filter) => {
    if (filter !== undefined) return look(filter);
    offered ??= look({});
    return offered;
  };
}

/** Reads the images and files of tasks. */
function fileReaders({ extraDirs, own, bind, protectionOf }: Omit<TextBounds, "redact">) {
  const reach = (place: WorkPlace) => ({ ...reachOf(place), realPaths: bind(place), extraDirs, own });
  return {
    readImage: (place: WorkPlace, path: string) => readImageFile(reach(place), path, protectionOf),
    readFile: (place: WorkPlace, path: string) => readGivenFile(reach(place), path, protectionOf),
  };
}

/**
 * The environment of commands, read for each. Variables that commands do not get must not be readable in this process
 * either, from before the first child on.
 */
function environmentOfCommands(
  { hideVariables }: Pick<SetupPlace, "hideVariables">,
  env: Environment,
  { holdsKey }: WholeSetup["routing"]["credentials"],
  names: readonly string[],
): () => Record<string, string> {
  const divided = () => {
    const halves = divideEnvironment(env, holdsKey);
    hideVariables?.(Object.keys(halves.secrets));
    return halves;
  };
  divided();
  return () => commandEnvironment(divided(), holdsKey, names);
}

type TextBounds = {
  extraDirs: readonly string[];
  own: OwnFiles;
  bind(place: WorkPlace): BoundPaths;
  protectionOf: ReturnType<typeof createProtection>;
  redact(text: string): string;
};

/** Reads what others wrote for agents: notes and skills. */
function textReaders(
  { extraDirs, own, bind, protectionOf, redact }: TextBounds,
  origin: Pick<SkillBounds, "env" | "trusted">,
): Pick<Setup, "readNotes" | "findSkills" | "readSkill"> {
  const textBounds = (place: WorkPlace) => ({
    within: [place.workspace, ...extraDirs].filter((directory) => isInPlace(directory, bind(place))),
    isOwn: createOwnCheck(own).isOwn,
    protectionOf: (real: string) => protectionOf(relativeTo({ ...reachOf(place), realPaths: bind(place) }, real)),
    redact,
  });
  const skillBounds = (place: WorkPlace) => ({ ...textBounds(place), ...origin });
  return {
    readNotes: (place) => projectNotes(place.workspace, textBounds(place)),
    findSkills: (place) => findSkills(place.workspace, skillBounds(place)),
    readSkill: (place, skill, file) => readSkillFile(skill, file, skillBounds(place)),
  };
}

function limitsAt(found: ReturnType<WholeSetup["routing"]["providers"]["find"]>): ProviderLimits {
  const entry = "provider" in found ? found.provider.configured : undefined;
  return {
    concurrent: entry?.max_concurrent,
    requestsPerMinute: entry?.requests_per_minute,
    tokensPerMinute: entry?.tokens_per_minute,
  };
}

/** Describes an image for planning, without its bytes, or says why it cannot be read. */
function lookAtImage(read: () => ImageFile): ReturnType<LookAtImage> {
  return orUnusable(() => {
    const { bytes, ...facts } = read();
    return { ...facts, bytes: bytes.length };
  });
}

/** Describes a file for planning, without its text, or says why it cannot be read. */
function lookAtFile(read: () => GivenFile): ReturnType<LookAtFile> {
  return orUnusable(() => {
    const { text: _, ...ref } = read();
    return ref;
  });
}

function orUnusable<Facts>(look: () => Facts): Facts | { unusable: string } {
  try {
    return look();
  } catch (error) {
    const unusable = toolErrorText(error);
    if (unusable === undefined) throw error;
    return { unusable };
  }
}

function reachOf({ workspace, enclosing }: WorkPlace): { root: string; enclosing?: string[] } {
  return { root: workspace, ...present({ enclosing }) };
}

type SharedToolsOptions = Pick<ToolsOptions, "extraDirs" | "own" | "environment" | "web" | "redact"> & {
  bind(place: WorkPlace): BoundPaths;
  sandboxing: Sandboxing;
};

/** Children with the same workspace and toolset share their tools, which keep no state of a child. */
function toolMaker(config: Config, { bind, sandboxing, ...shared }: SharedToolsOptions): Setup["tools"] {
  const made = new Map<string, readonly Tool[]>();
  return (toolsets, place) => {
    const { workspace, enclosing, copy } = place;
    const realPaths = bind(place);
    const make = () =>
      createTools({
        workspace,
        toolsets,
        ...shared,
        realPaths,
        ...present({ enclosing }),
        isConfined: copy !== undefined,
        terminal: {
          timeoutMs: config.terminal.timeout_seconds * 1000,
          sandbox: sandboxing.terminalSandbox(copy !== undefined),
        },
      });
    // A copy is one child's: nobody else would find its tools again.
    const id = JSON.stringify([workspace, enclosing, realPaths, ...toolsets]);
    return copy === undefined ? getOrMake(made, id, make) : make();
  };
}
