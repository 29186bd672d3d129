/**
 * The expected outcome of a batch, derived from the contract alone: for each task a problem, or its routes in order
 * with the endpoint, the allowed keys, and who chose. It uses none of Deputy's routing code, which is tested against
 * it.
 */
import type { ApiMode, Effort } from "../../src/route.ts";
import {
  type Agent,
  type Alias,
  type Batch,
  FAMILIES,
  type Key,
  type Level,
  type Project,
  type Provider,
  type Task,
  type Trouble,
  VENDORS,
  type Vendor,
  type Word,
} from "./routing-batch.ts";

export type Expected = {
  provider: string;
  model: string;
  effort?: Effort;
  apiMode: ApiMode;
  /** Scheme, host and port. */
  origin: string;
  baseUrl: string;
  /** Any one of these. Empty if the request carries no key. */
  keys: Key[];
  headers: Record<string, string>;
  chosenBy: { provider: string; model: string; reasoning_effort: string | null };
};

/** Its routes, the requested one first, and its child's delegations; or why it cannot start. */
export type Outcome =
  | { routes: Expected[]; substituted: boolean; toolsets: readonly string[]; nested?: ExpectedCall }
  | { problem: string };

export type ExpectedCall = {
  outcomes: Outcome[];
  /** Nothing starts. */
  refused: boolean;
};

export type Expectations = ExpectedCall & {
  /** The one origin each key belongs to. */
  owners: Map<string, string>;
};

/** A built-in provider that no batch has. Ids with its name in front are served by others. */
const ABSENT: Vendor = {
  slug: "stepfun",
  names: ["stepfun", "step"],
  keys: [],
  origin: "https://api.stepfun.ai",
  apiMode: "chat_completions",
  defaultModel: "step-3.5-flash",
  maker: "stepfun",
};

const BUILT_IN: readonly Vendor[] = [...VENDORS, ABSENT];

type Chosen<Value> = { value: Value; by: string };
type Pair = {
  provider?: Chosen<Provider> | undefined;
  model?: Chosen<string> | undefined;
  effort?: (Chosen<Effort> & { ofParent: boolean }) | undefined;
  /** The alias that named the model, and its declarations. */
  alias?: NamedAlias | undefined;
  fallbacks?: Word[] | undefined;
  /** A level contains an unreadable value, so the levels below it are unknown. */
  broken?: string | undefined;
};
/** `trusted`: no untrusted file affects its meaning. `isWhole`: it names the provider of its model. */
type NamedAlias = { name: string; trusted: boolean; isWhole: boolean };
class Bad {
  readonly why: string;
  constructor(why: string) {
    this.why = why;
  }
}

export function expectationsOf(written: Batch): Expectations {
  const batch = underProject(written);
  const usable = batch.providers.filter((provider) => !(bundleOf(provider) instanceof Bad));
  const sole = usable.length === 1 ? usable[0] : undefined;
  const ground: Ground = { batch, usable, sole };
  const parent = [...batch.levels.config, batch.flags].reduce<Pair>(
    (below, says) => lay(below, { by: "parent", says }, ground),
    {},
  );
  const { askedBy, toolsets, call, single, callMaxCostUsd, maxCostUsd } = batch;
  const budgetUsd = callMaxCostUsd ?? maxCostUsd;
  const limits = [callMaxCostUsd, maxCostUsd].filter((usd) => usd !== undefined);
  const asking = { askedBy, toolsets, call: single ? {} : call, depth: 1, isBudgeted: budgetUsd !== undefined, limits };
  return {
    ...outcomesOf(batch.tasks, worldOf(ground, parent, asking)),
    owners: new Map(
      batch.providers.flatMap((provider) =>
        provider.keys.map((key) => [key.value, originOf(homeOf(key, provider))] as const),
      ),
    ),
  };
}

// Layers --------------------------------------------------------------------------------------------------------------

/** A batch with the project's config merged over the user's. */
type Merged = Batch & {
  untrusted: { aliases: string[]; agents: string[] };
  /** The settings of each file, the lower one first: every file is a separate level. */
  levels: Record<"config" | "delegation", Level[]>;
};

function underProject(batch: Batch): Merged {
  const { project } = batch;
  if (project === undefined) {
    const levels = { config: [batch.config], delegation: [batch.delegation] };
    return { ...batch, untrusted: { aliases: [], agents: [] }, levels };
  }
  const { trusted, config = {}, delegation = {}, aliases = [], agents = [], ...rest } = project;
  const names = (named: { name: string }[]) => (trusted ? [] : named.map(({ name }) => name));
  const newTo = (own: readonly { name: string }[]) => {
    const known = new Set(own.map(({ name }) => name.toLowerCase()));
    return ({ name }: { name: string }) => !known.has(name.toLowerCase());
  };
  const [isNewAlias, isNewAgent] = [newTo(batch.aliases), newTo(batch.agents)];
  return {
    ...batch,
    ...(rest satisfies Omit<Project, "trusted" | "config" | "delegation" | "aliases" | "agents">),
    levels: {
      config: levelsOf(batch.config, config),
      delegation: levelsOf(batch.delegation, delegation),
    },
    aliases: trusted ? namedOver(batch.aliases, aliases) : [...batch.aliases, ...aliases.filter(isNewAlias)],
    agents: trusted ? namedOver(batch.agents, agents) : [...batch.agents, ...agents.filter(isNewAgent)],
    untrusted: { aliases: names(aliases.filter(isNewAlias)), agents: names(agents.filter(isNewAgent)) },
  };
}

/**
 * The settings of two files that remain in effect. A model belongs to the provider written next to it. If the upper file
 * names another provider, the model is dropped; if it names the same one, the provider stays below with the model.
 */
function levelsOf(below: Level, above: Level): Level[] {
  const parted = above.provider !== undefined && above.word === undefined && above.provider !== below.provider;
  const word = above.word ?? (parted ? undefined : below.word);
  const provider = above.provider ?? below.provider;
  const providerIsUpper = above.provider !== undefined && (word === undefined || above.word !== undefined);
  const lower: Level = {
    ...(word && above.word === undefined && { word }),
    ...(provider !== undefined && !providerIsUpper && { provider }),
    ...(below.effort && above.effort === undefined && { effort: below.effort }),
  };
  const upper: Level = {
    ...(above.word && { word: above.word }),
    ...(providerIsUpper && above.provider !== undefined && { provider: above.provider }),
    ...(above.effort && { effort: above.effort }),
  };
  return [lower, upper];
}

function namedOver<Named extends { name: string }>(below: Named[], above: Named[]): Named[] {
  return [...below.filter(({ name }) => !above.some((other) => other.name === name)), ...above];
}

// Precedence ----------------------------------------------------------------------------------------------------------

type Step = { by: string; says: Level; fallbacks?: Word[] | undefined };
/** `sole`: the only provider that can run something, if there is exactly one. */
type Ground = { batch: Merged; usable: Provider[]; sole: Provider | undefined };
/** Who requests the route, for what, and its bounds. */
type Asking = {
  askedBy: "operator" | "model";
  call: Level;
  /** Whether a child requests it. */
  depth: number;
  toolsets: readonly string[];
  /** Whether every price must be known. */
  isBudgeted: boolean;
  /** The call's own and the config's limits, in USD. */
  limits: number[];
};
type World = Ground & Asking & { parent: Pair; delegation: Pair };
/** A complete pair of model and provider. */
type Settled = Pair & { provider: Chosen<Provider>; model: Chosen<string> };

function worldOf(ground: Ground, parent: Pair, asking: Asking): World {
  const delegation = ground.batch.levels.delegation.reduce(
    (below, says) => lay(below, { by: "delegation", says }, ground),
    parent,
  );
  return { ...ground, ...asking, parent, delegation };
}

function outcomesOf(tasks: readonly Task[], world: World): ExpectedCall {
  const outcomes = tasks.map((task) => outcomeOf(task, world));
  const bad = outcomes.filter((outcome) => "problem" in outcome).length;
  return { outcomes, refused: bad === outcomes.length || (bad > 0 && world.batch.onUnresolved === "reject") };
}

function outcomeOf(task: Task, world: World): Outcome {
  const { batch } = world;
  const agent = batch.agents.find(({ name }) => name === task.agent?.toLowerCase());
  if (task.agent !== undefined && agent === undefined) return { problem: "no such agent" };
  const asked = task.toolsets ?? agent?.toolsets ?? world.toolsets;
  const most = [...(task.toolsets === undefined ? [world.toolsets] : []), ...(agent?.toolsets ? [agent.toolsets] : [])];
  const toolsets = asked.filter((name) => most.every((set) => set.includes(name)));
  const routed = routesOf(task, agent, toolsets, world);
  if ("problem" in routed) return routed;
  if (task.orchestrates && world.depth >= batch.maxSpawnDepth) return { problem: "no depth left" };
  if ((task.toolsets ?? []).some((name) => !world.toolsets.includes(name))) return { problem: "a toolset of its own" };
  const own = [task.maxCostUsd, agent?.maxCostUsd].filter((usd) => usd !== undefined);
  const [first] = routed.routes as [Expected];
  const provider = batch.providers.find(({ slug }) => slug === first.provider);
  if ((provider?.models[first.model]?.price ?? 0) > 0 && [...own, ...world.limits].some((usd) => usd < TOO_LITTLE_USD))
    return { problem: "too little money" };
  const ends = endOf(routed.routes, task);
  if (task.nested === undefined || ends.fails) return { ...routed, toolsets };
  const { provider: slug, model, effort } = routed.routes[ends.position] as Expected;
  const parent: Pair = {
    provider: { value: findProvider(slug, batch) as Provider, by: "parent" },
    model: { value: model, by: "parent" },
    ...(effort && { effort: { value: effort, by: "parent", ofParent: true } }),
  };
  const asking: Asking = {
    askedBy: "model",
    call: task.nested.call,
    depth: world.depth + 1,
    toolsets,
    isBudgeted: world.isBudgeted || own.length > 0 || batch.maxCostUsd !== undefined,
    limits: batch.maxCostUsd === undefined ? [] : [batch.maxCostUsd],
  };
  return { ...routed, toolsets, nested: outcomesOf(task.nested.tasks, worldOf(world, parent, asking)) };
}

/** Less than the cost of anything with a price. */
const TOO_LITTLE_USD = 1e-6;

/** The position at which a child's routes end, and whether it fails there. */
export function endOf(
  routes: readonly Expected[],
  { troubles }: { troubles: readonly (Trouble | undefined)[] },
): { position: number; fails: boolean } {
  const position = routes.findIndex((route, at) => !isOutside(route) && troubles[at]?.lasts !== true);
  return position < 0 ? { position: routes.length - 1, fails: true } : { position, fails: false };
}

/** Outside hosts are reachable only through the proxy, which rejects every connection. */
export function isOutside({ origin }: Expected): boolean {
  return origin.startsWith("https:");
}

type Routed = { routes: Expected[]; substituted: boolean } | { problem: string };

function routesOf(task: Task, agent: Agent | undefined, toolsets: readonly string[], world: World): Routed {
  const { batch } = world;
  const rule = batch.rules.find(({ when: { tag, agent: named, images, role, toolset } }) =>
    [
      tag === undefined || task.tags.includes(tag),
      named === undefined || named.toLowerCase() === agent?.name,
      images === undefined || images === task.images,
      role === undefined || (role === "orchestrator") === task.orchestrates,
      toolset === undefined || toolsets.includes(toolset),
    ].every(Boolean),
  );
  const ofAgent = agent && {
    by: batch.untrusted.agents.includes(agent.name) ? "agent" : "own agent",
    says: agent.level,
    fallbacks: agent.fallbacks,
  };
  const steps: (Step | "throws")[] = [
    ...(rule === undefined ? [] : [{ by: "rule", says: { word: rule.word } }]),
    ...(task.hook === undefined
      ? []
      : [task.hook === "throws" ? ("throws" as const) : { by: "hook", says: task.hook }]),
    ...(ofAgent === undefined ? [] : [ofAgent]),
    ...(batch.explicit ? [] : [{ by: "call", says: world.call }]),
    { by: "task", says: task.level },
  ].filter((step) => step === "throws" || Object.keys(step.says).length > 0 || step === ofAgent);
  const usd = task.maxCostUsd ?? agent?.maxCostUsd;
  const priced = (world.isBudgeted || usd !== undefined) && !batch.allowUnknownPrice;
  const first = routesAlong(steps, priced, world);
  if (!(first instanceof Bad)) return { routes: first, substituted: false };
  // A bad task drops its own request, then the call's, and so on down to the delegation's default.
  if (batch.onUnresolved === "fallback")
    for (let kept = steps.length - 1; kept >= 0; kept--) {
      const instead = routesAlong(steps.slice(0, kept), priced, world);
      if (!(instead instanceof Bad)) return { routes: instead.map(substituted), substituted: true };
    }
  return { problem: first.why };
}

function substituted(route: Expected, index: number): Expected {
  if (index > 0) return route;
  const { reasoning_effort } = route.chosenBy;
  return {
    ...route,
    chosenBy: { provider: "fallback", model: "fallback", reasoning_effort: reasoning_effort && "fallback" },
  };
}

function routesAlong(steps: readonly (Step | "throws")[], priced: boolean, world: World): Expected[] | Bad {
  const { batch, delegation } = world;
  if (steps.includes("throws")) return new Bad("the hook threw");
  const said = steps as Step[];
  const over = (below: Pair, levels: Step[]) => levels.reduce((pair, step) => lay(pair, step, world), below);
  const own = over(
    delegation,
    said.filter(({ by }) => OPERATORS.includes(by)),
  );
  const all = over(
    own,
    said.filter(({ by }) => !OPERATORS.includes(by)),
  );
  const settled = settle(all, world);
  if (settled instanceof Bad) return settled;
  if (world.askedBy === "model" && isDenied(own, all, settled, world)) return new Bad("denied");
  const first = bind(settled, priced);
  if (first instanceof Bad) return first;
  const routes = [first];
  for (const word of all.fallbacks ?? batch.fallbacks) {
    const laid = lay({ ...all, fallbacks: undefined }, { by: "fallback", says: { word } }, world);
    const next = settle(laid, world);
    const bound = next instanceof Bad ? next : bindFitting(next, priced);
    if (bound instanceof Bad) continue;
    if (!routes.some(({ provider, model }) => provider === bound.provider && model === bound.model)) routes.push(bound);
  }
  return routes;
}

/** Levels decided by the operator, excluding an untrusted project's. */
const OPERATORS = ["rule", "hook", "own agent"];

/** Merges one level over those below. */
function lay(below: Pair, { by: level, says, fallbacks: declared }: Step, world: Ground): Pair {
  const by = level === "own agent" ? "agent" : level;
  const read = readLevel(says, world.batch);
  if (read instanceof Bad) return { broken: read.why };
  const named = read.provider === undefined ? undefined : findProvider(read.provider, world.batch);
  if (named instanceof Bad) return { broken: named.why };
  const found = read.model === undefined ? {} : place(read.model, named, below.provider?.value, world);
  if (found instanceof Bad) return { broken: found.why };
  const provider = found.provider ?? named;
  const providerBy = found.moved ? "family" : read.brought.includes("provider") ? "alias" : by;
  const staysThere = provider === undefined || provider.slug === below.provider?.value.slug;
  const kept = staysThere
    ? { model: below.model, alias: below.alias, fallbacks: declared ?? read.fallbacks ?? below.fallbacks }
    : { fallbacks: declared ?? read.fallbacks };
  const keepsModel = found.model === undefined ? staysThere : found.model === below.model?.value;
  return {
    broken: provider === undefined ? below.broken : undefined,
    provider: provider === undefined ? below.provider : { value: provider, by: providerBy },
    effort:
      read.effort === undefined
        ? below.effort?.by === "alias" && !keepsModel && by !== "fallback"
          ? undefined // It was meant for the alias's own model.
          : below.effort
        : { value: read.effort, by: read.brought.includes("effort") ? "alias" : by, ofParent: by === "parent" },
    ...(found.model === undefined
      ? kept
      : { model: { value: found.model, by }, alias: read.alias, fallbacks: declared ?? read.fallbacks }),
  };
}

function settle(pair: Pair, world: World | Ground): Settled | Bad {
  if (pair.broken !== undefined) return new Bad(pair.broken);
  const provider = pair.provider ?? (world.sole && { value: world.sole, by: "parent" });
  if (provider === undefined) return new Bad("no provider");
  const usual = provider.value.defaultModel ?? provider.value.vendor?.defaultModel;
  const model = pair.model ?? (usual === undefined ? undefined : { value: usual, by: "default" });
  if (model === undefined) return new Bad("no default model");
  const settled = { ...pair, provider, model };
  if (pair.effort?.ofParent && "parent" in world) {
    // Inherited from the parent only by the same model.
    const parents = settle({ ...world.parent, effort: undefined }, world);
    if (!(parents instanceof Bad) && parents.model?.value !== model.value) return { ...settled, effort: undefined };
  }
  return settled;
}

// What a level says ---------------------------------------------------------------------------------------------------

type Read = {
  model?: string;
  provider?: string;
  effort?: Effort;
  brought: string[];
  alias?: NamedAlias;
  fallbacks?: Word[];
};

function readLevel({ word, provider, effort }: Level, batch: Merged): Read | Bad {
  const beside = { ...unlessInherit("provider", provider), ...(effort && { effort }) };
  if (word === undefined) return { ...beside, brought: [] };
  if (
    word.provider !== undefined &&
    beside.provider !== undefined &&
    !isSameName(word.provider, beside.provider, batch)
  )
    return new Bad("two providers");
  if (word.effort !== undefined && effort !== undefined && word.effort !== effort) return new Bad("two efforts");
  const said = { ...beside, ...unlessInherit("provider", word.provider), ...(word.effort && { effort: word.effort }) };
  const meant = followAlias(word.model, batch, []);
  if (meant instanceof Bad) return meant;
  if (meant.provider !== undefined && said.provider !== undefined && !isSameName(meant.provider, said.provider, batch))
    return new Bad("alias and field disagree");
  const brought = [
    ...(meant.provider !== undefined && said.provider === undefined ? ["provider"] : []),
    ...(meant.effort !== undefined && said.effort === undefined ? ["effort"] : []),
  ];
  return { ...meant, ...said, brought };
}

function unlessInherit<Name extends string>(name: Name, text: string | undefined): { [Key in Name]?: string } {
  return text === undefined || text.toLowerCase() === "inherit" ? {} : ({ [name]: text } as { [Key in Name]: string });
}

/** Resolves a user's alias, name by name. */
function followAlias(model: string, batch: Merged, through: Alias[]): Omit<Read, "brought"> | Bad {
  const alias = batch.aliases.find(({ name }) => name === model.toLowerCase());
  if (alias === undefined) return unlessInherit("model", model);
  if (through.includes(alias)) return new Bad("a circle");
  const { word } = alias;
  const inner = followAlias(word.model, batch, [...through, alias]);
  if (inner instanceof Bad) return inner;
  if (inner.provider !== undefined && word.provider !== undefined && !isSameName(inner.provider, word.provider, batch))
    return new Bad("two aliases disagree");
  return {
    ...inner,
    ...unlessInherit("provider", word.provider),
    ...(word.effort && { effort: word.effort }),
    alias: {
      name: alias.name,
      isWhole: (unlessInherit("provider", word.provider).provider ?? inner.provider) !== undefined,
      trusted: inner.alias?.trusted !== false && !batch.untrusted.aliases.includes(alias.name),
    },
    ...(alias.fallbacks && { fallbacks: alias.fallbacks }),
  };
}

function isSameName(one: string, other: string, batch: Batch): boolean {
  const [first, second] = [one, other].map((name) => slugOf(name, batch) ?? name.toLowerCase());
  return first === second;
}

function slugOf(name: string, { providers }: Batch): string | undefined {
  const word = name.toLowerCase();
  return BUILT_IN.find(({ names }) => names.includes(word))?.slug ?? providers.find(({ slug }) => slug === word)?.slug;
}

function findProvider(name: string, batch: Batch): Provider | Bad {
  const slug = slugOf(name, batch);
  const provider = batch.providers.find((each) => each.slug === slug);
  if (provider !== undefined) return provider;
  if (slug === undefined) return new Bad("unknown provider");
  const vendor = BUILT_IN.find((each) => each.slug === slug) as Vendor;
  return { slug, vendor, keys: [], headers: {}, models: {} };
}

// Where a model's name leads ------------------------------------------------------------------------------------------

type Placed = { provider?: Provider; model?: string; moved?: true };

function place(model: string, named: Provider | undefined, below: Provider | undefined, world: Ground): Placed | Bad {
  const current = named ?? below ?? world.sole;
  const meant = current && idAt(current, model);
  if (meant !== undefined) return { model: meant };
  const family = FAMILIES[letters(model)];
  if (family !== undefined) return placeFamily(model, family, named, current, world);
  if (model.includes(" ")) return new Bad("several words");
  if (isMakersOwn(current, model)) return { model };
  const colon = model.indexOf(":");
  if (colon > 0 && !current?.vendor?.tags && slugOf(model.slice(0, colon), world.batch) !== undefined)
    return new Bad("a provider before a colon");
  const slash = model.indexOf("/");
  const inside = slash > 0 ? slugOf(model.slice(0, slash), world.batch) : undefined;
  if (inside === undefined || (current !== undefined && keepsSlashes(current))) return { model };
  if (named !== undefined && !isOut(named)) return { model };
  if (named !== undefined && named.slug !== inside) return new Bad("the name and the field disagree");
  const provider = findProvider(inside, world.batch) as Provider;
  const there = place(model.slice(slash + 1), provider, undefined, world);
  return there instanceof Bad ? there : { provider, ...there };
}

/** The newest known member of each of a vendor's families, at any address. */
const NEWEST: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  anthropic: { haiku: "claude-haiku-5-5", opus: "claude-opus-5-5" },
  openai: { gpt: "gpt-6.2-sol" },
  zai: { glm: "glm-5.3" },
  openrouter: {
    haiku: "anthropic/claude-haiku-5.5",
    opus: "anthropic/claude-opus-5.5",
    glm: "z-ai/glm-5.3",
    gpt: "openai/gpt-6.2-sol",
  },
};

/** The newest version at the current provider, or at the one provider with a key that has the family. */
function placeFamily(
  model: string,
  family: readonly string[],
  named: Provider | undefined,
  current: Provider | undefined,
  { usable }: Pick<Ground, "usable">,
): Placed | Bad {
  const newestAt = ({ models, vendor }: Provider) =>
    family.findLast((id) => id in models) ?? NEWEST[vendor?.slug ?? ""]?.[letters(model)];
  const here = current && newestAt(current);
  if (here !== undefined) return { model: here };
  const homes = named === undefined ? usable.filter((provider) => newestAt(provider) !== undefined) : [];
  const [home, ...others] = homes;
  if (others.length > 0) return new Bad("several have the family");
  if (home !== undefined) return { provider: home, model: newestAt(home) as string, moved: true };
  return current !== undefined && knowsNone(current) ? { model } : new Bad("nobody has the family");
}

/** Whether no model of the provider is known. */
function knowsNone({ vendor, models, defaultModel }: Provider): boolean {
  return (
    Object.keys(models).length === 0 && defaultModel === undefined && (vendor === undefined || vendor.tags === true)
  );
}

/** The id that a name means at a provider, from the config and the vendor's default. */
function idAt({ models, defaultModel, vendor }: Provider, name: string): string | undefined {
  const stated = [...new Set([...Object.keys(models), ...(defaultModel === undefined ? [] : [defaultModel])])];
  if (stated.includes(name) || name === vendor?.defaultModel) return name;
  const alike = stated.filter((id) =>
    [letters(id), letters(id.slice(id.lastIndexOf("/") + 1))].includes(letters(name)),
  );
  return alike.length === 1 ? alike[0] : undefined;
}

/** Case, blanks, dots, dashes and underscores are ignored. */
function letters(name: string): string {
  return name.toLowerCase().replaceAll(/[ ._-]+/g, "-");
}

function keepsSlashes({ vendor, models, defaultModel = "" }: Provider): boolean {
  const isOwn = vendor === undefined;
  return isOwn || vendor.aggregator === true || [...Object.keys(models), defaultModel].some((id) => id.includes("/"));
}

const MAKERS: readonly (readonly [RegExp, string])[] = [
  [/^claude-/, "anthropic"],
  [/^gpt-/, "openai"],
  [/^gemini-/, "google"],
  [/^glm-/, "zai"],
  [/^deepseek-/, "deepseek"],
  [/^qwen/, "qwen"],
  [/^mistral-/, "mistral"],
  [/^step-/, "stepfun"],
];

function makerOf(model: string): string | undefined {
  const name = model.toLowerCase().slice(model.lastIndexOf("/") + 1);
  return MAKERS.find(([pattern]) => pattern.test(name))?.[1];
}

/** Whether requests go to the vendor's own address, where the catalog applies. */
function isOut({ vendor, entryUrl, variableUrl }: Provider): boolean {
  return vendor !== undefined && (entryUrl ?? variableUrl) === undefined;
}

function isMakersOwn(provider: Provider | undefined, model: string): boolean {
  const maker = provider !== undefined && isOut(provider) ? provider.vendor?.maker : undefined;
  return maker !== undefined && makerOf(model) === maker && !model.includes("/");
}

function isForeign(provider: Provider, model: string): boolean {
  const [own, maker] = [isOut(provider) ? provider.vendor?.maker : undefined, makerOf(model)];
  return own !== undefined && maker !== undefined && own !== maker && !(model in provider.models);
}

// The bundle ----------------------------------------------------------------------------------------------------------

function bind({ provider: { value: provider, by }, model, effort, alias }: Settled, priced: boolean): Expected | Bad {
  const bundle = bundleOf(provider);
  if (bundle instanceof Bad) return bundle;
  if (isForeign(provider, model.value)) return new Bad("another maker's model");
  if (model.value.toLowerCase() === "auto" && !alias?.isWhole) return new Bad("no model's name");
  const { efforts, price } = provider.models[model.value] ?? {};
  if (priced && price === undefined) return new Bad("no price");
  if (effort !== undefined && efforts !== undefined && !efforts.includes(effort.value)) return new Bad("effort");
  return {
    provider: provider.slug,
    model: model.value,
    ...(effort && { effort: effort.value }),
    ...bundle,
    chosenBy: { provider: by, model: model.by, reasoning_effort: effort?.by ?? null },
  };
}

/** An effort that was meant for another model is dropped if the fallback does not accept it. */
function bindFitting(pair: Settled, priced: boolean): Expected | Bad {
  const bound = bind(pair, priced);
  return bound instanceof Bad && bound.why === "effort" && pair.effort?.by !== "fallback"
    ? bind({ ...pair, effort: undefined }, priced)
    : bound;
}

const PLACEHOLDERS = ["changeme", "none", "***"];

/** The provider's own endpoint, keys and headers, as one unit. */
function bundleOf(provider: Provider): Omit<Expected, "provider" | "model" | "effort" | "chosenBy"> | Bad {
  const { vendor, entryUrl, variableUrl, headers, apiMode } = provider;
  const baseUrl = entryUrl ?? variableUrl ?? (vendor && `${vendor.origin}${REST_OF_URL[vendor.slug]}`);
  if (baseUrl === undefined) return new Bad("no endpoint");
  const origin = originOf(baseUrl);
  const mine = provider.keys.filter(
    (key) => !PLACEHOLDERS.includes(key.value) && originOf(homeOf(key, provider)) === origin,
  );
  const ofEntry = mine.filter(({ at }) => at !== "variable");
  const keys = ofEntry.length > 0 ? ofEntry : mine;
  const host = new URL(baseUrl).hostname;
  const near =
    /^127\.|^localhost$/.test(host) ||
    (/\.(lan|internal)$/.test(host) && (vendor === undefined || vendor.slug === "ollama"));
  if (keys.length === 0 && !near) return new Bad("no key");
  const ofUrl = /\/anthropic$/.test(baseUrl) ? ("anthropic_messages" as const) : undefined;
  return { origin, baseUrl, keys, headers, apiMode: apiMode ?? ofUrl ?? vendor?.apiMode ?? "chat_completions" };
}

const REST_OF_URL: Record<string, string> = {
  zai: "/api/paas/v4",
  openai: "/v1",
  anthropic: "",
  gemini: "/v1beta",
  deepseek: "/v1",
  mistral: "/v1",
  stepfun: "/step_plan/v1",
};

/** The origin that a key belongs to: its entry's endpoint, its variable's counterpart, or the vendor's own address. */
function homeOf({ at }: Key, { entryUrl, variableUrl, vendor }: Provider): string {
  return (at === "variable" ? variableUrl : entryUrl) ?? vendor?.origin ?? "http://nowhere.invalid";
}

function originOf(url: string): string {
  return new URL(url).origin;
}

function isSameWord(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

// Policy --------------------------------------------------------------------------------------------------------------

/** A model may request what `allow` lists and `deny` does not. The default route is the operator's choice. */
function isDenied(own: Pair, all: Pair, pair: Settled, world: World): boolean {
  const { allow, deny } = world.batch;
  const without = settle(own, world);
  const before = without instanceof Bad ? undefined : without;
  const slug = pair.provider?.value.slug;
  const isSame = before?.provider?.value.slug === slug && before?.model?.value === pair.model?.value;
  if (isSame && (pair.effort === undefined || pair.effort.value === before?.effort?.value)) return false;
  const isOfAlias = all.provider?.by === "alias" || before?.provider?.value.slug === slug;
  const alias = isOfAlias ? all.alias : undefined;
  const matches = (pattern: string) =>
    pattern === "*" ||
    pattern === `${slug}/*` ||
    (alias !== undefined && (pattern === "alias:*" || pattern === `alias:${alias.name}`));
  const permits = (pattern: string) => matches(pattern) && !(pattern.startsWith("alias:") && alias?.trusted === false);
  /** A denied alias denies its target under every name. */
  const leadsThere = (pattern: string) =>
    world.batch.aliases.some(({ name }) => {
      if (pattern !== "alias:*" && pattern !== `alias:${name}`) return false;
      const laid = lay(world.delegation, { by: "task", says: { word: { written: name, model: name } } }, world);
      const meant = settle(laid, world);
      if (meant instanceof Bad || !isSameWord(meant.model.value, pair.model.value)) return false;
      return !["alias", "family"].includes(meant.provider.by) || meant.provider.value.slug === slug;
    });
  return deny.some((pattern) => matches(pattern) || leadsThere(pattern)) || !allow.some(permits);
}
