// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * Random realistic batches: providers with endpoints and keys, aliases, agents, rules, a hook, flags, a project's
 * config over the user's, budgets, children that delegate, and tasks that name models in every possible way. A batch is
 * described by its meaning; configs, environment and calls are generated from that, in random spellings. Nothing here
 * depends on Deputy's routing code.
 */
import type { ApiMode, Effort } from "../../src/route.ts";
import type { Random } from "./end-to-end-moments.ts";
import { dataUrl, TINY_PNG } from "./tiny-images.ts";

/** A provider as its documentation describes it, copied by hand. */
export type Vendor = {
  slug: string;
  names: string[];
  keys: { variable: string; header?: "authorization" }[];
  urlVariable?: string;
  origin: string;
  apiMode: ApiMode;
  defaultModel?: string;
  /** Maker of its models. At its own address it serves no other maker's. */
  maker?: string;
  aggregator?: true;
  tags?: true;
};

const vendor = (
  slug: string,
  names: string[],
  keys: string[],
  more: Omit<Vendor, "slug" | "names" | "keys">,
): Vendor => ({
  slug,
  names: [slug, ...names],
  keys: keys.map((variable) => ({ variable, ...(/TOKEN$/.test(variable) && { header: "authorization" }) })),
  ...more,
});

export const VENDORS: readonly Vendor[] = [
  vendor("zai", ["glm", "z-ai", "zhipu"], ["GLM_API_KEY", "ZAI_API_KEY", "Z_AI_API_KEY"], {
    urlVariable: "GLM_BASE_URL",
    origin: "https://api.z.ai",
    apiMode: "chat_completions",
    defaultModel: "glm-5.3",
    maker: "zai",
  }),
  vendor("openai", ["openai-api"], ["OPENAI_API_KEY"], {
    urlVariable: "OPENAI_BASE_URL",
    origin: "https://api.openai.com",
    apiMode: "responses",
    defaultModel: "gpt-6-sol",
    maker: "openai",
  }),
  vendor("anthropic", ["claude"], ["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN"], {
    urlVariable: "ANTHROPIC_BASE_URL",
    origin: "https://api.anthropic.com",
    apiMode: "anthropic_messages",
    defaultModel: "claude-sonnet-5",
    maker: "anthropic",
  }),
  vendor("gemini", ["google"], ["GEMINI_API_KEY", "GOOGLE_API_KEY", "GOOGLE_GENERATIVE_AI_API_KEY"], {
    urlVariable: "GEMINI_BASE_URL",
    origin: "https://generativelanguage.googleapis.com",
    apiMode: "gemini",
    defaultModel: "gemini-3.8-flash",
    maker: "google",
  }),
  vendor("openrouter", ["or"], ["OPENROUTER_API_KEY"], {
    urlVariable: "OPENROUTER_BASE_URL",
    origin: "https://openrouter.ai",
    apiMode: "chat_completions",
    defaultModel: "anthropic/claude-sonnet-5",
    aggregator: true,
  }),
  vendor("deepseek", [], ["DEEPSEEK_API_KEY"], {
    urlVariable: "DEEPSEEK_BASE_URL",
    origin: "https://api.deepseek.com",
    apiMode: "chat_completions",
    defaultModel: "deepseek-v4-pro",
    maker: "deepseek",
  }),
  vendor("mistral", [], ["MISTRAL_API_KEY"], {
    origin: "https://api.mistral.ai",
    apiMode: "chat_completions",
    defaultModel: "mistral-medium-latest",
    maker: "mistral",
  }),
  vendor("ollama", [], [], {
    urlVariable: "OLLAMA_HOST",
    origin: "http://127.0.0.1:11434",
    apiMode: "chat_completions",
    aggregator: true,
    tags: true,
  }),
];

/** Names of families, and their members from old to new. */
export const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  haiku: ["claude-haiku-4-5", "claude-haiku-5"],
  opus: ["claude-opus-4-8", "claude-opus-5", "claude-opus-5-5"],
  glm: ["glm-4.7", "glm-5.1", "glm-5.2"],
  gpt: ["gpt-5.5", "gpt-6"],
};

/** Address of a server: `http://127.0.0.1:4711`, and the prefix of the API's paths. */
export type Address = { origin: string; path: string };

/** A key and its location. Its value names its batch and location, and it belongs to one origin. */
export type Key = {
  at: "api_key" | "api_keys" | "api_key_env" | "command" | "variable";
  /** The documented facts about it. */
  name: string;
  variable?: string;
  header?: "authorization";
  value: string;
};

export type Provider = {
  slug: string;
  vendor?: Vendor;
  /** `base_url` of its entry. */
  entryUrl?: string;
  /** Value of its base-URL variable. */
  variableUrl?: string;
  apiMode?: ApiMode;
  keys: Key[];
  headers: Record<string, string>;
  /** `price`: USD per million tokens. */
  models: Record<string, { efforts?: Effort[]; price?: number }>;
  defaultModel?: string;
};

/** A model as written in one location, and its meaning. */
export type Word = {
  written: string | { model: string; provider?: string; reasoning_effort?: Effort };
  model: string;
  provider?: string;
  effort?: Effort;
};

/** The settings of one level. */
export type Level = { word?: Word; provider?: string; effort?: Effort };

export type Alias = { name: string; word: Word; fallbacks?: Word[] };

/** The failure at a task's nth route: every time, or the first time only. */
export const LASTING = [
  "unauthorized",
  "model-missing",
  "refused",
  "context-overflow",
  "quota-exhausted",
  "redirect",
  "overloaded",
  "rate-limited",
  "reset-before-headers",
] as const;
export const PASSING = ["rate-limited", "overloaded", "reset-before-headers"] as const;
export type Trouble = { kind: (typeof LASTING)[number]; lasts: boolean };

export type Agent = { name: string; level: Level; fallbacks?: Word[]; toolsets?: string[]; maxCostUsd?: number };

export type Rule = {
  when: { tag?: string; agent?: string; images?: boolean; role?: "leaf" | "orchestrator"; toolset?: string };
  word: Word;
};

export type Task = {
  level: Level;
  tags: string[];
  agent?: string;
  images: boolean;
  toolsets?: string[];
  maxCostUsd?: number;
  orchestrates: boolean;
  /** Delegated by its child before it answers. */
  nested?: { call: Level; tasks: Task[] };
  hook?: Level | "throws";
  /** By position: its route, its first fallback … */
  troubles: (Trouble | undefined)[];
};

/** Routing settings that a config file may contain. */
type Layer = {
  aliases: Alias[];
  agents: Agent[];
  config: Level;
  delegation: Level;
  fallbacks: Word[];
  rules: Rule[];
  explicit: boolean;
  onUnresolved: "skip" | "reject" | "fallback";
};

/** A project's file contains some of them; `allow` and `deny` only if it is trusted. */
export type Project = Partial<Layer> & { trusted: boolean; allow?: string[]; deny?: string[] };

export type Batch = Layer & {
  id: string;
  providers: Provider[];
  project?: Project;
  flags: Level;
  hooked: boolean;
  call: Level;
  /** Without a `tasks` list: the call is the task. */
  single: boolean;
  tasks: Task[];
  askedBy: "operator" | "model";
  allow: string[];
  deny: string[];
  toolsets: string[];
  maxSpawnDepth: number;
  /** `delegation.max_cost_usd`, and the call's own limit. */
  maxCostUsd?: number;
  callMaxCostUsd?: number;
  allowUnknownPrice: boolean;
};

/** Servers available to batches: origins that answer, including look-alikes of vendors. */
export type Ground = { loopback: string[]; lookAlikes: string[] };

const EFFORTS: readonly Effort[] = ["low", "medium", "high"];
const MODES: readonly ApiMode[] = ["chat_completions", "responses", "anthropic_messages", "gemini"];
const BASE: Record<ApiMode, string> = {
  chat_completions: "/v1",
  responses: "/v1",
  anthropic_messages: "",
  gemini: "/v1beta",
};
/** Unknown ids. Digits prevent them from being read as a typo of an alias. */
const UNHEARD = ["mx-77", "mx-78:free", "qwen3:8b", "Mixed-Case-9"];
const HEARD = ["claude-opus-5", "gpt-6-luna", "glm-5.1"];
const TOOLSETS = ["file", "search"];
/** `ample` exceeds every possible cost here; `tiny` is below the cost of anything that has a price. */
const BUDGETS = { ample: 1_000, tiny: 1e-9 };

export function makeBatch(id: string, random: Random, ground: Ground): Batch {
  const chance = (share: number) => random() < share;
  const below = (count: number) => Math.floor(random() * count);
  const pick = <Value>(values: readonly Value[]): Value => values[below(values.length)] as Value;
  const some = <Value>(values: readonly Value[], share: number) => values.filter(() => chance(share));
  const shuffled = <Value>(values: readonly Value[]) =>
    values
      .map((value) => ({ value, at: random() }))
      .sort((a, b) => a.at - b.at)
      .map(({ value }) => value);
  let keys = 0;
  /** Only these prices are known: a batch under a budget has no others than the config's. */
  const budget = chance(0.15) ? (chance(0.3) ? ("tiny" as const) : ("ample" as const)) : undefined;

  function key(at: Key["at"], slug: string, header?: "authorization", variable?: string): Key {
    const count = ++keys;
    const own =
      variable ??
      (chance(0.5) || at === "api_key_env" ? `K_${slug.toUpperCase().replace("-", "_")}_${count}` : undefined);
    const value = chance(0.05) && at !== "command" ? pick(["changeme", "none", "***"]) : `sk-${id}-${count}-${slug}-x`;
    return {
      at,
      name: own ?? "",
      ...(own !== undefined && at !== "command" && { variable: own }),
      ...(header && { header }),
      value,
    };
  }

  function entryKeys(slug: string, share: number): Key[] {
    const found = [
      ...(chance(share) ? [key("api_key", slug)] : []),
      ...(chance(share / 2) ? Array.from({ length: 1 + below(2) }, () => key("api_keys", slug)) : []),
      ...(chance(share / 3) ? [key("api_key_env", slug)] : []),
      ...(chance(0.01) ? [key("command", slug)] : []),
    ];
    let listed = 0;
    return found.map((each) => {
      const place =
        each.at === "api_keys" ? `api_keys[${listed++}]` : each.at === "command" ? "api_key_command" : each.at;
      return { ...each, name: each.variable ?? `providers.${slug}.${place}` };
    });
  }

  const address = (mode: ApiMode | undefined, prefix: string) => {
    const origin = chance(0.12) ? pick(ground.lookAlikes) : pick(ground.loopback);
    if (mode === undefined && chance(0.15)) return `${origin}${prefix}/anthropic`;
    return `${origin}${prefix}${BASE[mode ?? "chat_completions"]}`;
  };

  function builtIn(facts: Vendor): Provider {
    const { slug, apiMode } = facts;
    const entryUrl = chance(0.4) ? address(apiMode, `/${slug}`) : undefined;
    const isGateway = facts.aggregator === true;
    const hasVariable = facts.urlVariable !== undefined && (isGateway ? entryUrl === undefined : chance(0.75));
    const variableUrl = !hasVariable
      ? undefined
      : slug === "ollama"
        ? `${pick(ground.loopback)}/v1`
        : address(apiMode, `/${slug}-env`);
    return {
      slug,
      vendor: facts,
      ...(entryUrl !== undefined && { entryUrl }),
      ...(variableUrl !== undefined && { variableUrl }),
      keys: [
        ...entryKeys(slug, 0.3),
        ...facts.keys
          .filter((_, index) => chance(index === 0 ? 0.85 : 0.25))
          .map(({ variable, header }) => key("variable", slug, header, variable)),
      ],
      headers: entryUrl !== undefined && chance(0.3) ? { "x-team": `team-of-${slug}` } : {},
      models: {},
      ...(chance(0.15) && { defaultModel: `${slug}-default-7` }),
    };
  }

  function own(slug: string, twin?: Provider): Provider {
    const apiMode = twin === undefined ? (chance(0.6) ? pick(MODES) : undefined) : twin.apiMode;
    const ids = some([`${slug}-1`, `${slug}-2`, "shared-9", "stepfun/step-3.5-flash"], 0.4);
    return {
      slug,
      ...(apiMode && { apiMode }),
      entryUrl: twin?.entryUrl ?? address(apiMode, chance(0.5) ? `/${slug}` : ""),
      keys: entryKeys(slug, 0.6),
      headers: chance(0.4) ? { "x-team": `team-of-${slug}` } : {},
      models: stated(ids),
      ...(chance(0.75) && { defaultModel: pick([`${slug}-1`, `${slug}-9`]) }),
    };
  }

  function stated(ids: readonly string[]): Provider["models"] {
    const facts = () => ({
      ...(chance(0.2) && { efforts: some(EFFORTS, 0.5) }),
      ...(budget !== undefined && chance(0.75) && { price: pick([0, 1]) }),
    });
    return Object.fromEntries(ids.map((name) => [name, facts()]));
  }

  const gate = own("gate-a");
  const providers = [
    ...shuffled(VENDORS.filter(({ slug }) => budget === undefined || slug === "ollama"))
      .slice(0, 1 + below(3))
      .map(builtIn),
    ...(budget !== undefined || chance(0.5) ? [own("mylab")] : []),
    ...(chance(0.4) ? [gate, own("gate-b", gate)] : []),
  ];
  /** A vendor at its own address has a catalog, which this module does not model: families would be found in it. */
  const isOut = providers.some(
    ({ vendor: facts, entryUrl, variableUrl }) => facts && (entryUrl ?? variableUrl) === undefined,
  );
  if (!isOut)
    for (const each of providers) Object.assign(each.models, stated(some(Object.values(FAMILIES).flat(), 0.1)));
  const slugs = providers.flatMap(({ slug, vendor: facts }) => facts?.names ?? [slug]);
  const ids = providers.flatMap(({ models, defaultModel }) => [
    ...Object.keys(models),
    ...(defaultModel ? [defaultModel] : []),
  ]);
  const families = isOut ? [] : Object.keys(FAMILIES);
  const names = ["small", "large", "own"].filter(() => chance(0.5));

  function slug(): string {
    const known = pick(slugs);
    return chance(0.04) ? pick(["zay", "copilot"]) : chance(0.1) ? known.toUpperCase() : known;
  }

  function modelName(aliases: readonly string[]): string {
    const roll = random();
    if (roll < 0.2 && aliases.length > 0) return pick([...aliases, pick(aliases).toUpperCase()]);
    if (roll < 0.45 && ids.length > 0) return respelled(pick(ids));
    if (roll < 0.53 && families.length > 0) return pick([pick(families), pick(families).toUpperCase()]);
    if (roll < 0.6) return `${pick(slugs)}/${pick([...UNHEARD, ...HEARD, ...ids])}`;
    if (roll < 0.63) return `${pick(slugs)}:${pick(["mx-77", ...ids])}`;
    if (roll < 0.68) return pick(["inherit", "INHERIT"]);
    if (roll < 0.7) return pick(["auto", "two words 9"]);
    return pick([...UNHEARD, ...HEARD]);
  }

  function respelled(model: string): string {
    return chance(0.25) && !model.includes("/")
      ? pick([model.toUpperCase(), model.replaceAll("-", " "), model.replaceAll("-", "_")])
      : model;
  }

  function word(aliases: readonly string[]): Word {
    const model = modelName(aliases);
    const said = { ...(chance(0.25) && { provider: slug() }), ...(chance(0.2) && { effort: pick(EFFORTS) }) };
    return { written: spelled(model, said), model, ...said };
  }

  function spelled(model: string, { provider, effort }: Pick<Word, "provider" | "effort">): Word["written"] {
    if ((provider ?? effort) !== undefined && chance(0.3))
      return { model, ...(provider && { provider }), ...(effort && { reasoning_effort: effort }) };
    const joint = () => (chance(0.3) ? "=" : " ");
    const flags = shuffled([
      ...(provider ? [`--provider${joint()}${provider}`] : []),
      ...(effort ? [`--effort${joint()}${effort}`] : []),
      ...(chance(0.05) ? ["--global"] : []),
    ]);
    return (chance(0.8) ? [model, ...flags] : [...flags, model]).join(" ");
  }

  function level(share: number): Level {
    return {
      ...(chance(share) && { word: word(names) }),
      ...(chance(share / 2) && { provider: chance(0.05) ? "inherit" : slug() }),
      ...(chance(share / 2) && { effort: pick(EFFORTS) }),
    };
  }

  const aliasOf = (name: string): Alias => {
    const earlier = names.slice(0, names.indexOf(name));
    return {
      name,
      word: word(earlier),
      ...(chance(0.4) && { fallbacks: Array.from({ length: below(3) }, () => word(earlier)) }),
    };
  };
  const single = chance(0.15);
  const hooked = chance(0.25);
  const patterns = [...providers.map((each) => `${each.slug}/*`), "alias:*", ...names.map((name) => `alias:${name}`)];
  const limited = chance(0.5);
  const trouble = (): Trouble | undefined =>
    budget === "tiny" || !chance(0.3)
      ? undefined
      : chance(0.75)
        ? { kind: pick(LASTING), lasts: true }
        : { kind: pick(PASSING), lasts: false };
  const agentNames = ["scout", "critic"].filter(() => chance(0.4));
  const toolsets = chance(0.6) ? [] : some(TOOLSETS, 0.8);
  const maxSpawnDepth = pick([1, 2, 2, 3]);
  const purse = (share: number) => (budget !== undefined && chance(share) ? BUDGETS[budget] : undefined);
  const words = (count: number) => Array.from({ length: count }, () => word(names));

  function agentOf(name: string): Agent {
    const maxCostUsd = purse(0.2);
    return {
      name,
      level: level(0.6),
      ...(chance(0.3) && { fallbacks: words(below(3)) }),
      ...(chance(0.3) && { toolsets: some(TOOLSETS, 0.6) }),
      ...(maxCostUsd !== undefined && { maxCostUsd }),
    };
  }

  function ruleOf(): Rule {
    const conditions: Rule["when"][] = [
      { tag: pick(["a", "b"]) },
      { agent: pick(["scout", "Critic"]) },
      { images: chance(0.5) },
      { role: pick(["leaf", "orchestrator"]) },
      { toolset: pick(TOOLSETS) },
    ];
    const [first = {}, second] = shuffled(conditions);
    return { when: chance(0.2) ? { ...first, ...second } : first, word: word(names) };
  }

  const rulesOf = () => Array.from({ length: 1 + below(2) }, ruleOf);

  function taskAt(depth: number): Task {
    const says = depth === 1 && hooked && chance(0.6) ? (chance(0.1) ? "throws" : textLevel(0.7)) : undefined;
    const orchestrates = chance(depth > 1 ? 0.05 : maxSpawnDepth > 1 ? 0.3 : 0.03);
    const maxCostUsd = purse(0.3);
    return {
      level: level(0.6),
      tags: some(["a", "b"], 0.3),
      ...(chance(agentNames.length > 0 ? 0.3 : 0.01) && { agent: pick([...agentNames, ...agentNames, "SCOUT"]) }),
      images: chance(0.1),
      ...(chance(0.1) && { toolsets: some(TOOLSETS, 0.5) }),
      ...(maxCostUsd !== undefined && { maxCostUsd }),
      orchestrates,
      ...(orchestrates && depth === 1 && budget !== "tiny" && { nested: nestedOf() }),
      ...(says && { hook: says }),
      troubles: [trouble(), trouble(), trouble()],
    };
  }

  const nestedOf = () => ({ call: level(0.3), tasks: Array.from({ length: 1 + below(3) }, () => taskAt(2)) });

  function projectOf(): Project {
    const trusted = chance(0.5);
    return {
      trusted,
      config: level(0.3),
      delegation: level(0.3),
      aliases: some(names, 0.5).map(aliasOf),
      agents: some(agentNames, 0.5).map(agentOf),
      ...(chance(0.3) && { fallbacks: words(below(2)) }),
      ...(chance(0.3) && { rules: rulesOf() }),
      ...(chance(0.3) && { explicit: chance(0.5) }),
      ...(chance(0.2) && { onUnresolved: pick(["skip", "fallback"] as const) }),
      ...(trusted && chance(0.3) && { allow: some(patterns, 0.5) }),
      ...(trusted && chance(0.3) && { deny: some(patterns, 0.15) }),
    };
  }

  const [maxCostUsd, callMaxCostUsd] = [purse(0.3), single ? undefined : purse(0.3)];
  return {
    id,
    providers: providers.map((each) => ({ ...each })),
    aliases: names.map(aliasOf),
    agents: agentNames.map(agentOf),
    config: level(0.6),
    flags: textLevel(0.25),
    delegation: level(0.35),
    fallbacks: chance(0.4) ? words(1 + below(2)) : [],
    rules: chance(0.4) ? rulesOf() : [],
    ...(chance(0.25) && { project: projectOf() }),
    hooked,
    call: single ? {} : level(0.3),
    single,
    tasks: Array.from({ length: single ? 1 : 1 + below(4) }, () => taskAt(1)),
    explicit: chance(0.25),
    onUnresolved: pick(["skip", "skip", "reject", "fallback", "fallback"]),
    askedBy: chance(0.35) ? "model" : "operator",
    allow: limited ? some(patterns, 0.5) : ["*"],
    deny: limited ? some(patterns, 0.15) : [],
    toolsets,
    maxSpawnDepth,
    ...(maxCostUsd !== undefined && { maxCostUsd }),
    ...(callMaxCostUsd !== undefined && { callMaxCostUsd }),
    allowUnknownPrice: budget !== undefined && chance(0.4),
  };

  /** Flags and hooks give models as plain text only. */
  function textLevel(share: number): Level {
    const { word: said, ...rest } = level(share);
    return { ...rest, ...(said !== undefined && typeof said.written === "string" && { word: said }) };
  }
}

// How it is written ---------------------------------------------------------------------------------------------------

type Fields = Record<string, unknown>;

const fieldsOf = ({ word, provider, effort }: Level): Fields => ({
  ...(word && { model: word.written }),
  ...(provider !== undefined && { provider }),
  ...(effort && { reasoning_effort: effort }),
});

/** @param path position in the call; of a task that a child delegates, below the child's own: `1.0` */
export function goalOf({ id }: Batch, path: string): string {
  return `batch ${id} task ${path}`;
}

export function callOf(batch: Batch): Fields {
  const tasks = batch.tasks.map((task, index) => taskFields(batch, task, String(index)));
  if (batch.single) return tasks[0] ?? {};
  const { callMaxCostUsd: usd } = batch;
  return { ...fieldsOf(batch.call), ...(usd !== undefined && { max_cost_usd: usd }), tasks };
}

/** The call that the child of the task at `path` makes. */
export function nestedCallOf(batch: Batch, { call, tasks }: NonNullable<Task["nested"]>, path: string): Fields {
  return { ...fieldsOf(call), tasks: tasks.map((task, index) => taskFields(batch, task, `${path}.${index}`)) };
}

function taskFields(batch: Batch, task: Task, path: string): Fields {
  const { level, tags, agent, images, toolsets, maxCostUsd, orchestrates } = task;
  return {
    goal: goalOf(batch, path),
    ...fieldsOf(level),
    ...(tags.length > 0 && { tags }),
    ...(agent !== undefined && { agent }),
    ...(images && { images: [dataUrl(TINY_PNG)] }),
    ...(toolsets && { toolsets }),
    ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }),
    ...(orchestrates && { role: "orchestrator" }),
  };
}

/** The user's own config. */
export function configOf(batch: Batch): Fields {
  const { delegation, ...above } = layerOf(batch);
  const { allow, deny, toolsets, maxCostUsd } = batch;
  return {
    ...above,
    providers: Object.fromEntries(
      batch.providers.map((each) => [each.slug, entryOf(each)]).filter(([, entry]) => entry !== undefined),
    ),
    delegation: {
      ...delegation,
      allow,
      deny,
      toolsets,
      max_spawn_depth: batch.maxSpawnDepth,
      allow_unknown_price: batch.allowUnknownPrice,
      ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }),
    },
  };
}

export function projectConfigOf({ allow, deny, ...project }: Project): Fields {
  const { delegation, ...above } = layerOf(project);
  return { ...above, delegation: { ...delegation, ...(allow && { allow }), ...(deny && { deny }) } };
}

function layerOf(layer: Partial<Layer>): Fields & { delegation: Fields } {
  const { config = {}, aliases = [], agents = [], rules, delegation = {}, fallbacks, explicit, onUnresolved } = layer;
  return {
    ...fieldsOf(config),
    models: Object.fromEntries(aliases.map((alias) => [alias.name, aliasEntry(alias)])),
    agents: Object.fromEntries(agents.map((agent) => [agent.name, agentEntry(agent)])),
    ...(rules && { rules: rules.map(({ when, word }) => ({ when, use: word.written })) }),
    delegation: {
      ...fieldsOf(delegation),
      ...(fallbacks && { fallbacks: fallbacks.map(({ written }) => written) }),
      ...(onUnresolved && { on_unresolved: onUnresolved }),
      ...(explicit !== undefined && { batch_defaults: explicit ? "explicit" : "inherit" }),
    },
  };
}

function agentEntry({ name, level, fallbacks, toolsets, maxCostUsd }: Agent): Fields {
  return {
    prompt: `You are the ${name}.`,
    ...fieldsOf(level),
    ...(fallbacks && { fallbacks: fallbacks.map(({ written }) => written) }),
    ...(toolsets && { toolsets }),
    ...(maxCostUsd !== undefined && { max_cost_usd: maxCostUsd }),
  };
}

function aliasEntry({ word, fallbacks }: Alias): unknown {
  if (fallbacks === undefined) return word.written;
  const whole = typeof word.written === "string" ? { model: word.written } : word.written;
  return { ...whole, fallbacks: fallbacks.map(({ written }) => written) };
}

/** Undefined if the config has no entry for it. */
function entryOf({ entryUrl, apiMode, keys, headers, models, defaultModel }: Provider): Fields | undefined {
  const textOf = ({ variable, value }: Key) => (variable === undefined ? value : `\${${variable}}`);
  const at = (place: Key["at"]) => keys.filter((key) => key.at === place);
  const listed = at("api_keys");
  const entry = {
    ...(entryUrl !== undefined && { base_url: entryUrl }),
    ...(apiMode && { api_mode: apiMode }),
    ...Object.fromEntries(at("api_key").map((key) => ["api_key", textOf(key)])),
    ...(listed.length > 0 && { api_keys: listed.map(textOf) }),
    ...Object.fromEntries(at("api_key_env").map(({ variable }) => ["api_key_env", variable])),
    ...Object.fromEntries(at("command").map(({ value }) => ["api_key_command", ["/bin/echo", value]])),
    ...(Object.keys(headers).length > 0 && { headers }),
    ...(Object.keys(models).length > 0 && {
      models: Object.fromEntries(
        Object.entries(models).map(([id, { efforts, price }]) => [
          id,
          {
            ...(efforts && { reasoning_efforts: efforts }),
            ...(price !== undefined && { price: { input: price, output: price } }),
          },
        ]),
      ),
    }),
    ...(defaultModel !== undefined && { default_model: defaultModel }),
  };
  return Object.keys(entry).length === 0 ? undefined : entry;
}

export function environmentOf({ providers }: Batch): Record<string, string> {
  return Object.fromEntries(
    providers.flatMap(({ vendor: facts, variableUrl, keys }) => [
      ...(facts?.urlVariable !== undefined && variableUrl !== undefined
        ? [[facts.urlVariable, facts.slug === "ollama" ? new URL(variableUrl).host : variableUrl] as const]
        : []),
      ...keys.flatMap(({ variable, value }) => (variable === undefined ? [] : [[variable, value] as const])),
    ]),
  );
}
