/**
 * The values of options and arguments that depend on the user's config, keys and runs. What an option or argument takes
 * is told by its placeholder in the help: `<model>`, `[id]`, `<dir>`.
 */
import { existsSync } from "node:fs";
import { stateDir } from "../../config/trust.ts";
import { configKeys } from "../../config-schema.ts";
import { createSetups } from "../../engine/setup/setup.ts";
import { knownToolsets } from "../../routing/toolsets.ts";
import { allChildren } from "../../run/run.ts";
import { shortLine } from "../../text/short-line.ts";
import { present } from "../../values/present.ts";
import type { Context } from "../command.ts";
import { IMPORTED_PROGRAMS } from "../config/import/programs.ts";
import { AGENT_PROGRAMS } from "../serving/agent-programs.ts";

/** A value to type, and what it is. */
export type Suggestion = { value: string; about?: string };

/** The values at a place. The shell itself completes paths. */
export type Suggestions = { values: Suggestion[]; paths?: "files" | "directories" };

export type ValueRequest = {
  context: Context;
  /** The value typed so far. */
  typed: string;
  /** Values of the options before the cursor, by long name. */
  given: ReadonlyMap<string, string>;
};

type ValueSource = (request: ValueRequest) => Suggestions | Promise<Suggestions>;

const nothing: ValueSource = () => ({ values: [] });
const files: ValueSource = () => ({ values: [], paths: "files" });
const directories: ValueSource = () => ({ values: [], paths: "directories" });

/** Placeholders in the help. A test finds one that is missing here. */
export const VALUES: Record<string, ValueSource> = {
  model: modelValues,
  part: modelValues,
  slug: providerValues,
  id: runValues,
  key: keyValues,
  names: toolsetValues,
  program: programValues,
  source: sourceValues,
  file: files,
  path: files,
  dir: directories,
  address: nothing,
  callid: nothing,
  code: nothing,
  message: nothing,
  n: nothing,
  number: nothing,
  name: nothing,
  rule: nothing,
  sha256: nothing,
  text: nothing,
  time: nothing,
  usd: nothing,
  value: nothing,
};

function routingAt({ context: { io }, given }: ValueRequest) {
  return createSetups({ env: io.env, cwd: io.cwd, ...present({ configPath: given.get("--config") }) })();
}

/** Aliases first, then the models of the chosen provider, or of all with a key. */
function modelValues(request: ValueRequest): Suggestions {
  const { config, routing } = routingAt(request);
  const slug = request.given.get("--provider");
  const aliases = Object.entries(config.models).map(([value, alias]) => ({
    value,
    about: typeof alias === "string" ? alias : [alias.model, alias.provider].filter(Boolean).join(" @ "),
  }));
  const models = routing
    .candidates()
    .filter(({ provider }) => slug === undefined || provider === slug)
    .map(({ model, provider }) => ({ value: model, about: provider }));
  return { values: [...aliases, ...models] };
}

function providerValues(request: ValueRequest): Suggestions {
  const { routing } = routingAt(request);
  return { values: routing.credentials.usable().map(({ slug }) => ({ value: slug })) };
}

/** Number of runs offered, newest first. */
const RUNS = 100;

/** Runs with their first goals; after a dot, the run's children with theirs. */
async function runValues({ context, typed, given }: ValueRequest): Promise<Suggestions> {
  const { env, cwd } = context.io;
  if (!existsSync(stateDir(env))) return { values: [] };
  const { engine } = await context.openDeputy({ env, cwd, ...present({ configPath: given.get("--config") }) });
  try {
    const runs = (await engine.runs(RUNS)).map(({ run }) => run);
    const children = typed.includes(".") ? runs.flatMap(allChildren) : [];
    return {
      values: [
        ...runs.map(({ delegationId, children: [first] }) => ({ value: delegationId, about: shortLine(first?.asked) })),
        ...children.map(({ tally, asked }) => ({ value: tally.childId, about: shortLine(asked) })),
      ],
    };
  } finally {
    await engine.close();
  }
}

/** Keys of the config; what the user names, such as a provider, is left to type. */
function keyValues(): Suggestions {
  const keys = configKeys().filter(({ path }) => !/[*[]/.test(path));
  return { values: keys.map(({ path, description }) => ({ value: path, about: shortLine(description) })) };
}

/** Those of the config's MCP servers too. Comma-separated: only the last name is typed. */
function toolsetValues(request: ValueRequest): Suggestions {
  const { known } = knownToolsets(routingAt(request).config);
  const before = request.typed.slice(0, request.typed.lastIndexOf(",") + 1);
  return { values: known.map((name) => ({ value: `${before}${name}` })) };
}

/** Agent programs that `deputy mcp install` knows. */
function programValues(): Suggestions {
  return { values: Object.entries(AGENT_PROGRAMS).map(([value, { title }]) => ({ value, about: title })) };
}

/** Programs whose configs `deputy config import` reads. */
function sourceValues(): Suggestions {
  const programs = Object.entries(IMPORTED_PROGRAMS).map(([value, { title }]) => ({ value, about: title }));
  return { values: [...programs, { value: "hermes", about: "Hermes" }], paths: "files" };
}
