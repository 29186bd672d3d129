/**
 * `deputy mcp install AGENT`: adds the entry that makes an agent program start Deputy as its MCP server. It always
 * shows the entry first; it writes it with --write or if the user at the terminal agrees, and keeps a copy of the
 * former file.
 */

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { rememberSettings } from "../../config/own-files.ts";
import { stateDir } from "../../config/trust.ts";
import { DeputyError, errorMessage } from "../../errors.ts";
import type { Routing } from "../../routing/routing.ts";
import { readForeignText } from "../../system/foreign-file.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { present } from "../../values/present.ts";
import { agreed } from "../approvals/question.ts";
import { writeSettings } from "../config/write-config.ts";
import type { Io } from "../io.ts";
import { programPath } from "../program-path.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { AGENT_PROGRAMS, type AgentProgram, type VariableNames } from "./agent-programs.ts";
import { type Added, addEntry, DIFFERENT, snippetOf } from "./settings-entry.ts";

export type InstallFlags = {
  /** Uses this project's file instead of the user's. */
  project?: true;
  write?: true;
  /** Replaces a different entry. */
  force?: true;
};

/** @throws DeputyError `usage` for an unknown program, or a file that cannot be edited; `output-unwritable` */
export async function installMcp(io: Io, name: string, variables: VariableNames, flags: InstallFlags): Promise<void> {
  const program = programOf(name);
  const { title, format, at, note } = program;
  const path = fileOf(program, io, flags);
  const entry = program.entry({ command: programPath(io.env), args: ["mcp"] }, variables);
  const within = flags.project && [io.cwd];
  io.stdout.write(`${title} starts Deputy with this entry in ${oneLine(path)}:\n\n`);
  io.stdout.write(`${indented(snippetOf(format, at, entry))}\n`);
  if (note !== undefined) io.stdout.write(`${note}\n`);
  const edited = () => textWithEntry(path, addEntry(format, read(path, within), at, entry, flags.force === true));
  if (edited() !== undefined && !flags.write && !(await mayWrite(io, path)))
    return void io.stdout.write("Nothing was written.\n");
  const text = edited(); // The file may have changed during the prompt.
  const backup = text === undefined ? undefined : writeSettings(path, text);
  remember(path, io);
  if (text === undefined) return void io.stdout.write("The entry is already there: nothing to do.\n");
  io.stdout.write(`Written to ${oneLine(path)}.${backup === undefined ? "" : ` The previous file is ${backup}.`}\n`);
  io.stdout.write(`Restart ${title} and ask it to delegate something.\n`);
}

/** Undefined if the entry exists already. @throws DeputyError `usage` if it cannot be added */
function textWithEntry(path: string, added: Added): string | undefined {
  if ("refused" in added) {
    const orForced = added.refused === DIFFERENT ? ", or replace it with --force" : "";
    const message = `Expected to add the entry to ${path}, but ${added.refused}. Add it by hand${orForced}.`;
    throw new DeputyError("usage", message);
  }
  return "same" in added ? undefined : added.text;
}

/** Protects the file from children from now on, if it lies in a workspace: it decides how Deputy is started. */
function remember(path: string, { env }: Io): void {
  const state = resolve(stateDir(env));
  try {
    rememberSettings(path, state);
  } catch (error) {
    const message = `Cannot record in ${state} that ${path} starts Deputy: ${errorMessage(error)}. Until it is recorded, children may change that file. Install again once the directory is writable.`;
    throw new DeputyError("output-unwritable", message, { cause: error });
  }
}

/** The set variables that Deputy would read: keys, their base URLs, and its own variables. */
export function variablesInUse({ credentials, providers }: Routing, env: Io["env"]): VariableNames {
  const names = new Set(credentials.keyNames());
  for (const { builtIn } of providers.all())
    for (const name of [builtIn?.baseUrlVariable ?? [], builtIn?.cloud?.variables ?? []].flat()) names.add(name);
  return Object.keys(env)
    .filter((name) => (names.has(name) || name.startsWith("DEPUTY_")) && (env[name] ?? "").trim() !== "")
    .sort();
}

function programOf(name: string): AgentProgram {
  const program = Object.hasOwn(AGENT_PROGRAMS, name) ? AGENT_PROGRAMS[name] : undefined;
  if (program !== undefined) return program;
  const names = Object.keys(AGENT_PROGRAMS);
  const [close] = suggest(name, names, 1);
  const hint = close === undefined ? "" : ` Did you mean ${close}?`;
  throw new DeputyError(
    "usage",
    `Expected one of ${names.join(", ")}; found ${name}.${hint} Any other program takes the command: deputy mcp`,
  );
}

function fileOf(program: AgentProgram, io: Io, flags: InstallFlags): string {
  const path = flags.project ? projectFileOf(program, io.cwd) : program.userFile(io.env);
  const withComments = `${path}c`;
  return program.readsJsonc && !existsSync(path) && existsSync(withComments) ? withComments : path;
}

function projectFileOf({ title, projectFile }: AgentProgram, cwd: string): string {
  if (projectFile !== undefined) return join(cwd, projectFile);
  throw new DeputyError("usage", `${title} has no project settings for MCP servers. Omit --project.`);
}

/** Some programs keep more than settings in these files. */
const MAX_BYTES = 64 * 1024 ** 2;

/**
 * The file's text; empty if there is none.
 * @param within directories that must contain a project's settings
 */
function read(path: string, within: string[] | undefined): string {
  const found = readForeignText(path, { ...present({ within }), maxBytes: MAX_BYTES });
  if (found === undefined) return "";
  if ("unreadable" in found) throw unreadable(path, found.unreadable);
  // The replacement character marks bytes that are not UTF-8, which writing would lose.
  if (found.text.includes("\uFFFD")) throw unreadable(path, "expected text in UTF-8; found something else");
  return found.text;
}

function unreadable(path: string, reason: string): DeputyError {
  return new DeputyError("input-unreadable", `Cannot read ${path}: ${reason}.`);
}

/** Asks at the terminal; without one, the answer is no. */
async function mayWrite(io: Io, path: string): Promise<boolean> {
  const { stdin, stdout } = io;
  if (stdin.isTTY === true && stdout.isTTY === true) return agreed(io, stdout, `Write it to ${oneLine(path)}?`);
  stdout.write("To write it, use --write.\n");
  return false;
}

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, "    ");
}
