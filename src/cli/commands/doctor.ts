/**
 * `deputy doctor`: checks the needs of a run: keys by name, config, journal, runtime, whether a sandbox works and MCP
 * servers start. It sends requests only with `--online`.
 */
import { version } from "node:process";
import type { Clock } from "../../clock.ts";
import { loadConfig } from "../../config/load.ts";
import { stateDir } from "../../config/trust.ts";
import { askProviders, type ProviderAnswer } from "../../engine/setup/provider-lists.ts";
import { createSetups } from "../../engine/setup/setup.ts";
import { tryRoute } from "../../engine/setup/try-route.ts";
import { trySandboxHere } from "../../engine/setup/try-sandbox.ts";
import { type ServerTrial, tryServers } from "../../engine/setup/try-servers.ts";
import { DeputyError, type Warning } from "../../errors.ts";
import { formatKey } from "../../routing/keys/provider-connection.ts";
import { patternWarnings } from "../../routing/resolve/policy.ts";
import type { Routing } from "../../routing/routing.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { CONFIG_OPTION, type Context, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { createPaint, type Output, type Paint } from "../io.ts";
import { formatRoute, plural } from "../terminal/format.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { columnsOf, wrapFor } from "../terminal/word-wrap.ts";
import { type Finding, findingsOf } from "./route-trial.ts";

const MAX_NOTES = 5;

type DoctorContext = { env: Context["io"]["env"]; cwd: string; configPath?: string };

export const declareDoctor: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Check the setup: keys (by name), config, sandbox, MCP servers, journal, runtime.")
    .option(
      "--online [model]",
      "also ask each key's provider for its models, and MCP servers over HTTP; with a model, try it with two short requests",
    )
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy doctor", "find out why runs do not start"],
        ["deputy doctor --online", "check that the keys are accepted"],
        ["deputy doctor --online glm-5.1", "try a model: a tool call, an answer, usage, served name"],
      ]),
    )
    .action(async (flags: { online?: true | string; json?: true; config?: string }) => {
      const place = { env: io.env, cwd: io.cwd, ...(flags.config && { configPath: flags.config }) };
      const findings = eachErrorOnce([
        ...attempt("config", () => configFindings(place)),
        ...attempt("providers", () => providerFindings(place)),
        ...(await skillFindings(place)),
        ...(flags.online === true ? await onlineFindings(place, io.clock) : []),
        ...(typeof flags.online === "string" ? await trialFindings(place, flags.online, context) : []),
        ...(await sandboxFindings(place, context)),
        ...(await serverFindings(place, flags.online === true, context)),
        ...(await journalFindings(context, flags.config)),
        environmentFinding(io.keysStillVisible),
        ...parentFindings(io.secretsOfParent?.() ?? []),
        { state: "good", about: "runtime", text: `Node ${version}` } as const,
      ]);
      if (flags.json) io.stdout.write(jsonDocument(findings));
      else io.stdout.write(formatFindings(findings, io.stdout, createPaint(io.stdout, io.env)));
      context.exitWith(findings.some(({ state }) => state === "bad") ? EXIT_NOT_COMPLETED : EXIT_COMPLETED);
    });
};

/** An error in the config prevents several checks; it is reported by the first. */
function eachErrorOnce(findings: Finding[]): Finding[] {
  const isFirst = ({ state, text }: Finding, index: number) =>
    state !== "bad" || index === findings.findIndex((other) => other.state === "bad" && other.text === text);
  return findings.filter(isFirst);
}

/** One finding for each line of an error. */
function errorFindings(about: string, { message }: DeputyError): Finding[] {
  return message.split("\n").map((text) => ({ state: "bad", about, text }));
}

/** Returns the findings, or the error that prevented them. */
function attempt(about: string, look: () => Finding[]): Finding[] {
  try {
    return look();
  } catch (error) {
    if (!(error instanceof DeputyError)) throw error;
    return errorFindings(about, error);
  }
}

function configFindings(place: DoctorContext): Finding[] {
  const { files, warnings, agents } = loadConfig({
    ...place,
    ...(place.configPath && { explicitPath: place.configPath }),
  });
  const found = files.map(
    ({ path, trusted }): Finding => ({
      state: trusted ? "good" : "note",
      about: "config",
      text: trusted ? path : `${path} is not trusted and can only choose among your routes: deputy config trust`,
    }),
  );
  const none: Finding = { state: "good", about: "config", text: "no file, and none is needed" };
  const notes = [
    ...warnings.map(({ message }): Finding => ({ state: "note", about: "config", text: message })),
    ...firstNotes("agents", agents.warnings, ": deputy agents lists them"),
  ];
  return [...(found.length === 0 ? [none] : found), ...notes];
}

/** The first few warnings. @param hint how to see the others */
function firstNotes(about: string, warnings: readonly Warning[], hint = ""): Finding[] {
  const texts = warnings.slice(0, MAX_NOTES).map(({ message }) => message);
  const more = warnings.length - texts.length;
  if (more > 0) texts.push(`${more} more cannot be read${hint}`);
  return texts.map((text) => ({ state: "note", about, text }));
}

/** The skills that children here can read, the user's own first. */
async function skillFindings(place: DoctorContext): Promise<Finding[]> {
  try {
    const { found, warnings } = await createSetups(place)().findSkills({ workspace: place.cwd });
    const [ofUser, ofProject] = [false, true].map((isOfProject) =>
      found.filter(({ project }) => (project !== undefined) === isOfProject).map(({ name }) => name),
    );
    const texts = [ofUser?.join(", "), ofProject?.length && `of this project: ${ofProject.join(", ")}`].filter(Boolean);
    const names: Finding = { state: "good", about: "skills", text: texts.join("; ") };
    return [...(texts.length > 0 ? [names] : []), ...firstNotes("skills", warnings)];
  } catch (error) {
    // Another finding already covers an unreadable config.
    if (error instanceof DeputyError) return [];
    throw error;
  }
}

function providerFindings(place: DoctorContext): Finding[] {
  const { routing, config } = createSetups(place)();
  const usable = routing.credentials.usable();
  const others = routing.providers.all().filter((provider) => !usable.includes(provider));
  const patterns = patternWarnings(config, routing.providers);
  return [
    ...patterns.map(({ message }): Finding => ({ state: "note", about: "config", text: message })),
    ...usable.map(({ slug, configured }) => usableFinding(slug, configured !== undefined, routing)),
    ...others.filter(({ configured }) => configured !== undefined).map(({ slug }) => unusableFinding(slug, routing)),
    ...(usable.length === 0
      ? [noProvider(others.map(({ builtIn }) => builtIn?.keys[0]?.name))]
      : [plainTask(routing, place.cwd)]),
  ];
}

function usableFinding(slug: string, configured: boolean, { providers, credentials }: Routing): Finding {
  const found = providers.find(slug);
  const answer = "provider" in found ? credentials.find(found.provider) : undefined;
  if (answer === undefined || !("connection" in answer)) return { state: "bad", about: slug, text: "cannot be had" };
  const { keys, baseUrl, rejected } = answer.connection;
  const names = keys.map(formatKey).join(", ");
  const from = configured ? ", from the config" : "";
  const text = `${new URL(baseUrl).host}, ${names === "" ? "no key needed" : `key ${names}`}${from}`;
  return rejected.length === 0
    ? { state: "good", about: slug, text }
    : { state: "note", about: slug, text: `${text}; ${rejected.join("; ")}` };
}

/** A provider that is in the config but has no key. */
function unusableFinding(slug: string, { providers, credentials }: Routing): Finding {
  const found = providers.find(slug);
  if ("problem" in found) return { state: "bad", about: slug, text: found.problem.message };
  const answer = credentials.find(found.provider);
  if ("unusable" in answer) return { state: "bad", about: slug, text: answer.unusable };
  const looked = "missing" in answer ? answer.missing.join(", ") : "";
  return { state: "note", about: slug, text: `no key. Looked in ${looked}.` };
}

function noProvider(variables: (string | undefined)[]): Finding {
  const known = variables.filter((name) => name !== undefined).slice(0, 6);
  return { state: "bad", about: "providers", text: `none has a key. Set one, for example ${known.join(", ")}.` };
}

/** The route of a task without a model request. */
function plainTask(routing: Routing, cwd: string): Finding {
  const [planned] = routing.plan({ tasks: [{ goal: "" }] }, { cwd }).planned;
  if (planned !== undefined && "route" in planned) {
    return {
      state: "good",
      about: "default",
      text: `a task that names no model runs on ${formatRoute(planned.route)}`,
    };
  }
  return { state: "note", about: "default", text: `a task must name its model: ${planned?.problem.message ?? ""}` };
}

/** Each provider's response to each of its keys. */
async function onlineFindings(place: DoctorContext, clock: Clock): Promise<Finding[]> {
  try {
    return (await askProviders(place, clock, undefined, true)).map(onlineFinding);
  } catch (error) {
    // Other findings already cover an unreadable config or the absence of keys.
    if (error instanceof DeputyError) return [];
    throw error;
  }
}

const NO_LIST = "has no list of models, so that its key was not tried";

function onlineFinding(answer: ProviderAnswer): Finding {
  const { provider: about, keyName } = answer;
  if ("failure" in answer) {
    const { kind, message } = answer.failure;
    const isRefused = kind === "unauthorized" && keyName !== undefined;
    return { state: "bad", about, text: isRefused ? `key ${keyName}: ${message}` : message };
  }
  if ("hasNoList" in answer) return { state: "note", about, text: NO_LIST };
  const lists = `lists ${plural(Object.keys(answer.models).length, "model")}`;
  if (keyName === undefined) return { state: "good", about, text: `answers without a key, ${lists}` };
  if (answer.keyTried) return { state: "good", about, text: `accepts ${keyName}, ${lists}` };
  return { state: "note", about, text: `answers and ${lists} without a key, so ${keyName} was not tested` };
}

async function trialFindings(place: DoctorContext, model: string, { io }: Context): Promise<Finding[]> {
  const leaving = new AbortController();
  const unsubscribe = io.onInterrupt(() => leaving.abort());
  try {
    return findingsOf(await tryRoute(place, model, io.clock, leaving.signal));
  } catch (error) {
    if (error instanceof DeputyError) return [{ state: "bad", about: model, text: error.message }];
    throw error;
  } finally {
    unsubscribe();
  }
}

/** Runs one command in a sandbox. */
async function sandboxFindings(place: DoctorContext, { io }: Context): Promise<Finding[]> {
  const leaving = new AbortController();
  const unsubscribe = io.onInterrupt(() => leaving.abort());
  const about = "sandbox";
  try {
    const trial = await trySandboxHere(place, leaving.signal);
    if ("isOff" in trial) return [{ state: "note", about, text: "off in the config: commands run with your rights" }];
    if (trial.works) return [{ state: "good", about, text: `a command runs in it (${trial.program})` }];
    const { isRequired, problem, remedy } = trial;
    const effect = isRequired ? "no child gets a terminal" : "commands run without one";
    return [{ state: isRequired ? "bad" : "note", about, text: `${problem}, so ${effect}. ${remedy}`.trim() }];
  } catch (error) {
    // Another finding already covers an unreadable config.
    if (error instanceof DeputyError) return [];
    throw error;
  } finally {
    unsubscribe();
  }
}

/** Starts each MCP server of the config. */
async function serverFindings(place: DoctorContext, online: boolean, { io }: Context): Promise<Finding[]> {
  const leaving = new AbortController();
  const unsubscribe = io.onInterrupt(() => leaving.abort());
  try {
    return (await tryServers(place, io.clock, online, leaving.signal)).flatMap(serverFinding);
  } catch (error) {
    // Other findings already cover an unreadable config.
    if (error instanceof DeputyError) return [];
    throw error;
  } finally {
    unsubscribe();
  }
}

function serverFinding(trial: ServerTrial): Finding[] {
  const about = `mcp:${trial.server}`;
  if ("isUntried" in trial)
    return [{ state: "note", about, text: "over HTTP, not tried. Try it: deputy doctor --online" }];
  const { toolCount, messages } = trial;
  if (toolCount === 0)
    return [{ state: "bad", about, text: messages.join(" ") || "starts, but has no tools for children" }];
  const starts: Finding = { state: "good", about, text: `starts, ${plural(toolCount, "tool")}` };
  return [starts, ...messages.map((text): Finding => ({ state: "note", about, text }))];
}

async function journalFindings(context: Context, configPath: string | undefined): Promise<Finding[]> {
  const where = stateDir(context.io.env);
  try {
    const runs = await withDeputy(context, configPath, async ({ engine }) => engine.runCount());
    return [{ state: "good", about: "journal", text: `${where}, ${plural(runs, "run")}` }];
  } catch (error) {
    if (!(error instanceof DeputyError)) throw error;
    return errorFindings("journal", error);
  }
}

function environmentFinding(keysStillVisible: string | undefined): Finding {
  return keysStillVisible === undefined
    ? { state: "good", about: "secrets", text: "keys are removed from this process's environment" }
    : {
        state: "note",
        about: "secrets",
        text: `your other processes can read keys in the environment: ${keysStillVisible}`,
      };
}

/** Keys that an exporting shell keeps: Deputy can remove only its own. */
function parentFindings(names: readonly string[]): Finding[] {
  if (names.length === 0) return [];
  const some = names.slice(0, 5).join(", ") + (names.length > 5 ? ", …" : "");
  const text =
    `commands of children can read ${plural(names.length, "secret")} in the environment of the process that started ` +
    `Deputy (${some}). Put keys into the .env next to the config, or use api_key_command`;
  return [{ state: "note", about: "parent", text }];
}

/** Narrowest column for texts beside what they are about. */
const LEAST_BESIDE = 40;

function formatFindings(findings: Finding[], output: Output, paint: Paint): string {
  const signs = { good: paint("green", "✓"), note: paint("yellow", "!"), bad: paint("red", "✗") };
  const widest = Math.max(...findings.map(({ about }) => about.length));
  const beside = widest + 4;
  const indent = " ".repeat(columnsOf(output) - beside < LEAST_BESIDE ? 4 : beside);
  const lines = findings.map(({ state, about, text }) => `${signs[state]} ${about.padEnd(widest)}  ${oneLine(text)}`);
  return lines.map((line) => `${wrapFor(output, line, indent)}\n`).join("");
}
