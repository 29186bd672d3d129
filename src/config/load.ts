/**
 * Loads the configuration from its files and variables, layer by layer. It is read again for every delegation, so
 * nothing is cached between two calls. An untrusted project file can choose only among the user's routes.
 */
import { statSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { parseEnv } from "node:util";
import { type Agents, configuredAgents } from "../agent-definition.ts";
import { type Config, configSchema, type RouteFields, type RouteLevels } from "../config-schema.ts";
import { DeputyError, type Warning } from "../errors.ts";
import { mayBeKey, withoutKeyLikes } from "../secret.ts";
import type { Environment } from "../template.ts";
import type { KeyPath } from "../values/key-path.ts";
import { type AgentFile, agentsOf, readAgentFiles } from "./agents/agents.ts";
import { type ConfigKind, type ConfigTexts, readConfigTexts } from "./config-texts.ts";
import { type ConfigDocument, readDocument } from "./document.ts";
import { type Layer, mergeLayers } from "./layers.ts";
import { isTrusted, stateDir } from "./trust.ts";
import { choicesOnly } from "./untrusted.ts";

export type ConfigFile = { path: string; kind: ConfigKind; trusted: boolean };

export type LoadedConfig = {
  config: Config;
  /** The files that were read, lowest layer first. */
  files: ConfigFile[];
  /** The source of a value: `file:line`, a variable, or `default`. */
  sourceOf(path: KeyPath): string;
  /** Variables of the `.env` next to each trusted file. The environment takes precedence. */
  dotenv: Record<string, string>;
  /** Each layer's part of the route, lowest first: higher layers override lower ones. */
  levels: RouteLevels;
  /** Names under `models:` that an untrusted file defines. */
  untrustedAliases: string[];
  warnings: Warning[];
  /** Agent definitions of the config and of other tools' files. */
  agents: Agents;
};

export type ConfigPlace = { env: Environment; cwd: string; explicitPath?: string };

/** Variables that override a key of the config. */
export const OVERRIDES = {
  DEPUTY_MODEL: "model",
  DEPUTY_PROVIDER: "provider",
  DEPUTY_REASONING_EFFORT: "reasoning_effort",
  DEPUTY_MAX_SPAWN_DEPTH: "delegation.max_spawn_depth",
} as const;

/** Expected values of variables, where the schema's own words do not fit a text. */
const EXPECTED_IN: Record<string, string> = {
  reasoning_effort: "one of none, minimal, low, medium, high, xhigh, max",
  "delegation.max_spawn_depth": "a whole number from 0",
};

/**
 * @param explicitPath `--config`; with it, or with `DEPUTY_CONFIG`, only that file is read
 * @throws DeputyError `config-invalid` with every error as `file:line:col key: expected …; found …`
 */
export function loadConfig(place: ConfigPlace): LoadedConfig {
  const files = readConfigFiles(place);
  const trusted = files.filter((file) => file.trusted);
  const errors: string[] = [];
  const warnings: Warning[] = trusted.flatMap((file) => file.warnings);
  const untrustedAliases: string[] = [];
  const layers: Layer[] = [];
  const untrusted: Layer[] = [];
  for (const file of files) {
    const read = readDocument(file.path, file.text);
    if ("errors" in read) errors.push(...(file.trusted || !file.isShared ? read.errors : [notQuoted(file.path)]));
    else if (file.trusted) layers.push(layerOf(read.document));
    else {
      const layer = choicesOnly(read.document, layerOf(read.document), layers, errors, warnings);
      untrusted.push(layer);
      layers.push(layer);
      untrustedAliases.push(...Object.keys(layer.value.models ?? {}));
    }
  }
  layers.push(overridesIn(place.env, errors));
  if (errors.length > 0) throw new DeputyError("config-invalid", errors.join("\n"), { details: errors });
  const merged = mergeLayers(layers);
  const config = configSchema.parse(merged.value);
  const placeOf = (name: string) => {
    const path = ["agents", name];
    const layer = merged.layerOf(path);
    return {
      source: layer?.sourceOf(path) ?? path.join("."),
      isProjectScoped: layer !== undefined && untrusted.includes(layer),
    };
  };
  const rankOf = (layer: Layer | undefined) => (layer === undefined ? -1 : layers.indexOf(layer));
  return {
    config,
    agents: agentsOf(configuredAgents(config, placeOf), agentFiles(place, files)),
    files: files.map(({ path, kind, trusted }) => ({ path, kind, trusted })),
    levels: {
      parent: byLayer(config, (key) => rankOf(merged.layerOf([key]))),
      delegation: byLayer(config.delegation, (key) => rankOf(merged.layerOf(["delegation", key]))),
    },
    sourceOf: (path) => merged.layerOf(path)?.sourceOf(path) ?? "default",
    dotenv: Object.assign({}, ...trusted.map(({ dotenv }) => parseEnv(dotenv))),
    untrustedAliases,
    warnings,
  };
}

/** A link in a project, or a second name of a file, may lead to a secret: an error would quote from it. */
function notQuoted(path: string): string {
  return `${path}: expected a valid config; found errors. They are not shown: the file is a link or has a second name, and it is not trusted. Put a plain file in its place`;
}

/** A provider in a layer above the model's belongs to that model; otherwise merging would have dropped the model. */
function byLayer({ model, provider, reasoning_effort }: RouteFields, rankOf: (key: string) => number): RouteFields[] {
  const ofModel = rankOf("model");
  const ranked: [rank: number, fields: RouteFields][] = [
    [ofModel, { model }],
    [model === undefined ? rankOf("provider") : Math.min(rankOf("provider"), ofModel), { provider }],
    [rankOf("reasoning_effort"), { reasoning_effort }],
  ];
  const levels = new Map<number, RouteFields>();
  for (const [rank, fields] of ranked.sort(([a], [b]) => a - b))
    if (Object.values(fields).some((value) => value !== undefined))
      levels.set(rank, { ...levels.get(rank), ...fields });
  return [...levels.values()];
}

/** All file content that `loadConfig` would read, as one text: an equal text means an equal config. */
export function configTexts(place: ConfigPlace): string {
  const files = readConfigFiles(place);
  return JSON.stringify([files, agentFiles(place, files)]);
}

function agentFiles({ env, cwd }: ConfigPlace, files: readonly ConfigFile[]): AgentFile[] {
  return readAgentFiles(env, cwd, trustedProject(files));
}

/** Directory of the project whose config is trusted, if there is one. */
export function trustedProject(files: readonly ConfigFile[]): string | undefined {
  const project = files.find(({ kind, trusted }) => kind === "project" && trusted);
  return project && dirname(dirname(project.path));
}

/** The config files for a place, lowest layer first. There may be none. */
export function findConfigFiles(place: ConfigPlace): ConfigFile[] {
  return locateConfigs(place).map(({ path, kind }) => {
    const trusted = kind !== "project" || isTrusted(path, readConfigTexts(path, kind), stateDir(place.env));
    return { path, kind, trusted };
  });
}

/** The config files with their texts. */
function readConfigFiles(place: ConfigPlace): (ConfigFile & ConfigTexts)[] {
  return locateConfigs(place).map(({ path, kind }) => {
    const texts = readConfigTexts(path, kind);
    return { path, kind, trusted: kind !== "project" || isTrusted(path, texts, stateDir(place.env)), ...texts };
  });
}

function locateConfigs(place: ConfigPlace): Pick<ConfigFile, "path" | "kind">[] {
  const { env, cwd } = place;
  const named = namedConfig(place);
  if (named !== undefined) return [{ path: named, kind: "named" }];
  const user = userConfigPath(env);
  const project = findUpward(cwd, join(".deputy", "config.yaml"));
  return [
    ...(isThere(user) ? [{ path: user, kind: "user" } as const] : []),
    ...(project === undefined ? [] : [{ path: project, kind: "project" } as const]),
  ];
}

/** The path at which a user's config is written: the named file, else the user's own. */
export function writtenConfigPath(place: ConfigPlace): string {
  return namedConfig(place) ?? userConfigPath(place.env);
}

/** The file that `--config` or `DEPUTY_CONFIG` names. */
function namedConfig({ env, cwd, explicitPath }: ConfigPlace): string | undefined {
  const named = explicitPath ?? textOf(env.DEPUTY_CONFIG);
  return named === undefined ? undefined : resolve(cwd, named);
}

/** Path of the user's own config, which need not exist. */
export function userConfigPath(env: Environment): string {
  const base = textOf(env.XDG_CONFIG_HOME) ?? join(textOf(env.HOME) ?? homedir(), ".config");
  return join(base, "deputy", "config.yaml");
}

function findUpward(directory: string, name: string): string | undefined {
  return withAncestors(directory)
    .map((each) => join(each, name))
    .find(isThere);
}

/** A directory and all its parents, nearest first. */
export function withAncestors(directory: string): string[] {
  const parent = dirname(directory);
  return [directory, ...(parent === directory ? [] : withAncestors(parent))];
}

/**
 * Returns whether anything exists at the path: something other than a file is an error on reading, and is not skipped.
 */
function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function layerOf(document: ConfigDocument): Layer {
  return {
    value: document.value,
    sourceOf: (path) => {
      const line = document.lineOf(path);
      return line === undefined ? document.file : `${document.file}:${line}`;
    },
  };
}

function overridesIn(env: Environment, errors: string[]): Layer {
  const values: Record<string, unknown> = {};
  const variables: Record<string, string> = {};
  for (const [variable, key] of Object.entries(OVERRIDES)) {
    const text = textOf(env[variable]);
    if (text === undefined) continue;
    values[key] = key === "reasoning_effort" ? text.toLowerCase() : plainNumber(key, text);
    variables[key] = variable;
  }
  const value = nested(values);
  const parsed = configSchema.safeParse(value);
  for (const { path, message } of parsed.error?.issues ?? []) {
    const key = path.join(".");
    const expected = EXPECTED_IN[key] ?? message;
    errors.push(`${variables[key]}: expected ${expected}; found ${withoutKeyLikes(String(values[key]))}`);
  }
  for (const [key, text] of Object.entries(values))
    if (mayBeKey(String(text))) errors.push(`${variables[key]}: expected no key here; found what may be one`);
  return { value, sourceOf: (path) => variables[path.join(".")] ?? "environment" };
}

function plainNumber(key: string, text: string): string | number {
  return key === OVERRIDES.DEPUTY_MAX_SPAWN_DEPTH && /^\d{1,9}$/.test(text) ? Number(text) : text;
}

/** `{ "delegation.max_spawn_depth": 2 }` as a document. */
function nested(values: Record<string, unknown>): Record<string, unknown> {
  const { [OVERRIDES.DEPUTY_MAX_SPAWN_DEPTH]: depth, ...topLevel } = values;
  return depth === undefined ? topLevel : { ...topLevel, delegation: { max_spawn_depth: depth } };
}

/** A variable's text; blank counts as unset. */
function textOf(value: string | undefined): string | undefined {
  return value === undefined || value.trim() === "" ? undefined : value.trim();
}
