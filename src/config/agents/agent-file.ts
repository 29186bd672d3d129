/**
 * One agent definition file of Claude Code or opencode: Markdown with settings in its front matter and the prompt as
 * its body. Fields without effect here are noted, never an error; tools can only be removed.
 */

import type { AgentConfig } from "../../config-schema.ts";
import { ISOLATIONS, type Isolation } from "../../isolation.ts";
import { serverPrefix, serverToolset } from "../../mcp-names.ts";
import { isEffort } from "../../route.ts";
import { matchesStars } from "../../text/star-pattern.ts";
import { present } from "../../values/present.ts";
import { isRecord } from "../../values/record.ts";
import { consume, consumeText, type Fields } from "../consume.ts";
import { keyLikes, MISPLACED } from "../document.ts";
import { readFrontMatter } from "./front-matter.ts";

/** The content of a file, under the config's names. `tools` limits its toolsets to these tools. */
export type FileAgent = AgentConfig & { name: string; tools?: string[]; notes: string[] };
export type AgentFormat = "claude" | "opencode";

/** `disabled`: the file says that it must not be used. */
export type AgentFileRead = { agent: FileAgent } | { disabled: true } | { errors: string[] };

/** @param name the default name; opencode's files do not contain one */
export function readAgentFile(file: string, text: string, format: AgentFormat, name: string): AgentFileRead {
  const read = readFrontMatter(file, text, KEYS);
  if ("errors" in read) return read;
  const { body } = read;
  const [misplaced] = keyLikes(read.fields);
  if (misplaced !== undefined) return { errors: [`${file}: ${MISPLACED}`] };
  const fields = { ...read.fields };
  if (fields.disable === true || fields.disabled === true) return { disabled: true };
  const notes: string[] = [];
  const agent = FORMATS[format](fields, name, notes);
  const prompt = body.trim() || promptIn(fields, notes);
  if (prompt === "") return { errors: [`${file}: expected a prompt under the front matter; found none`] };
  const rest = Object.keys(fields);
  if (rest.length > 0) notes.push(`without effect here: ${rest.join(", ")}`);
  return { agent: { ...agent, prompt, notes: [...new Set(notes)] } };
}

/** Fields that files of either tool may have: a line that begins with another word belongs to the text above it. */
const KEYS = new Set([
  ...["name", "description", "model", "tools", "disallowedTools", "effort", "maxTurns", "color", "skills", "hooks"],
  ...["permissionMode", "mcpServers", "allowed-tools", "memory", "background", "isolation", "initialPrompt"],
  ...["mode", "prompt", "permission", "reasoningEffort", "steps", "maxSteps", "disable", "disabled", "hidden"],
  ...["temperature", "top_p", "options", "version", "author", "category", "tags", "license", "metadata"],
]);

type ParsedAgent = Omit<FileAgent, "prompt" | "notes">;

/** Each format consumes the fields that it understands. */
const FORMATS: Record<AgentFormat, (fields: Fields, name: string, notes: string[]) => ParsedAgent> = {
  claude: readClaude,
  opencode: readOpencode,
};

function readClaude(fields: Fields, name: string, notes: string[]): ParsedAgent {
  const given = consumeList(fields, "tools");
  const withheld = consumeList(fields, "disallowedTools") ?? [];
  const model = claudeModel(consumeText(fields, "model"));
  noteUnknownTools([...(given ?? []), ...withheld], "claude", notes);
  return {
    ...common(fields, name, notes, "effort", ["maxTurns"]),
    ...present({ model, isolation: isolationIn(fields, notes) }),
    ...((given !== undefined || withheld.length > 0) &&
      toolsWhere(claudeAllows(given, withheld), mcpTools(given, withheld))),
  };
}

/** Claude Code's own words for models; `[1m]` asks for a longer context. code.claude.com/docs, "Model configuration". */
const CLAUDE_MODELS: Record<string, string> = { default: "inherit", opusplan: "opus", best: "opus" };

function claudeModel(written: string | undefined): string | undefined {
  const model = written?.trim().replace(/\[1m\]$/i, "");
  return model === undefined ? undefined : (CLAUDE_MODELS[model.toLowerCase()] ?? model);
}

function readOpencode(fields: Fields, name: string, notes: string[]): ParsedAgent {
  const model = consumeText(fields, "model");
  const slash = model?.indexOf("/") ?? -1;
  const given = isRecord(fields.tools) ? undefined : consumeList(fields, "tools");
  const tools = consumeMap(fields, "tools");
  const everything = typeof fields.permission === "string" ? consumeText(fields, "permission") : undefined;
  const permission = everything === undefined ? consumeMap(fields, "permission") : { "*": everything };
  noteUnknownTools(
    [...(given ?? []), ...Object.keys(tools ?? {}), ...Object.keys(permission ?? {})],
    "opencode",
    notes,
  );
  const isGiven = claudeAllows(given, []);
  const isPermitted = opencodeAllows(tools, permission, notes);
  if (consume(fields, "mode") === "primary") notes.push("mode: primary, so it is not meant for delegation");
  return {
    ...common(fields, name, notes, "reasoningEffort", ["steps", "maxSteps"]),
    // The text before the first slash is always the provider there.
    ...present(slash > 0 ? { model: model?.slice(slash + 1), provider: model?.slice(0, slash) } : { model }),
    ...((given ?? tools ?? permission) !== undefined &&
      toolsWhere((row) => isGiven(row) && isPermitted(row), mcpTools(permission === undefined ? given : []))),
  };
}

function common(fields: Fields, fileName: string, notes: string[], effortKey: string, turns: string[]): ParsedAgent {
  const name = consumeText(fields, "name") ?? fileName;
  const description = consumeText(fields, "description");
  const effort = consumeText(fields, effortKey);
  const steps = consume(fields, ...turns);
  if (effort !== undefined && !isEffort(effort)) notes.push(`${effortKey}: ${effort} is not a known effort`);
  const isCount = Number.isInteger(steps) && Number(steps) > 0;
  if (steps !== undefined && !isCount) notes.push(`${turns[0]} is not a whole number from 1`);
  return present({
    name,
    description,
    reasoning_effort: effort !== undefined && isEffort(effort) ? effort : undefined,
    max_iterations: isCount ? Number(steps) : undefined,
  });
}

function isolationIn(fields: Fields, notes: string[]): Isolation | undefined {
  const written = consumeText(fields, "isolation");
  const known = ISOLATIONS.find((each) => each === written?.trim());
  if (written !== undefined && known === undefined) notes.push(`isolation: ${written} is not known here`);
  return known;
}

/** opencode's `prompt`, if the body is empty; a file that it refers to is not read. */
function promptIn(fields: Fields, notes: string[]): string {
  const prompt = consumeText(fields, "prompt") ?? "";
  if (!/^\{file:/.test(prompt)) return prompt;
  notes.push("prompt names a file, which is not read: write it under the front matter");
  return "";
}

/**
 * A list, a map of what is wanted, or words separated by commas, or by spaces where each is a tool's; undefined if
 * absent. `null`, `*` and `all` mean everything.
 */
function consumeList(fields: Fields, key: string): string[] | undefined {
  const value = consume(fields, key);
  if (value === undefined || (typeof value === "string" && /^(\*|all( tools)?)$/i.test(value.trim()))) return undefined;
  if (isRecord(value)) return Object.keys(value).filter((name) => value[name] === true);
  const words = Array.isArray(value) ? value.map(plainText) : wordsOf(plainText(value).replace(/^\[(.*)\]$/s, "$1"));
  return words.map((word) => word.replace(/^(["'`])(.*)\1$/, "$2")).flatMap(toolsApart);
}

function toolsApart(word: string): string[] {
  const words = word.split(/\s+/);
  return words.every((each) => isKnownTool(each) || OF_SERVER.test(each)) ? words : [word];
}

/** A YAML map may define `toString`, so it is never called. */
function plainText(value: unknown): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** Splits words at commas; a comma in parentheses is part of its word. Reads backwards, each part once. */
function wordsOf(text: string): string[] {
  const words = [""];
  let isInside = false;
  for (const part of text.split(/([(),])/).reverse()) {
    if (part === "(" || part === ")") isInside = part === ")";
    if (part === "," && !isInside) words.push("");
    else words.push(part + words.pop());
  }
  return words
    .reverse()
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function consumeMap(fields: Fields, key: string): Fields | undefined {
  const value = fields[key];
  if (!isRecord(value)) return undefined;
  delete fields[key];
  return value;
}

// Tools --------------------------------------------------------------------------------------------------------------

/** Without a toolset, a tool comes with any of them. */
type ToolRow = { toolset?: string } & Record<AgentFormat, readonly string[]>;

/** Deputy's tools and their names elsewhere. The first of its names that the file decides applies to the tool. */
const TOOLS: Record<string, ToolRow> = {
  read_file: { toolset: "file", claude: ["Read"], opencode: ["read"] },
  list_dir: { toolset: "file", claude: ["LS", "Read"], opencode: ["list", "read"] },
  write_file: { toolset: "file", claude: ["Write"], opencode: ["write", "edit"] },
  edit_file: { toolset: "file", claude: ["Edit", "MultiEdit"], opencode: ["edit"] },
  glob: { toolset: "search", claude: ["Glob"], opencode: ["glob"] },
  grep: { toolset: "search", claude: ["Grep"], opencode: ["grep"] },
  terminal: { toolset: "terminal", claude: ["Bash"], opencode: ["bash"] },
  web_fetch: { toolset: "web", claude: ["WebFetch"], opencode: ["webfetch"] },
  web_search: { toolset: "web", claude: ["WebSearch"], opencode: ["websearch"] },
  todo: { toolset: "todo", claude: ["TodoWrite"], opencode: ["todowrite"] },
  read_skill: { claude: ["Skill"], opencode: ["skill"] },
};

type NamedTool = { name: string; toolset: string | undefined };

/** @param ofServers tools of MCP servers, as patterns */
function toolsWhere(
  allows: (row: ToolRow) => boolean,
  ofServers: readonly NamedTool[],
): Pick<FileAgent, "toolsets" | "tools"> {
  const own = Object.entries(TOOLS).flatMap(([name, row]) => (allows(row) ? [{ name, toolset: row.toolset }] : []));
  const tools = [...own, ...ofServers];
  const toolsets = tools.map(({ toolset }) => toolset).filter((toolset) => toolset !== undefined);
  return { toolsets: [...new Set(toolsets)], tools: tools.map(({ name }) => name) };
}

/** `mcp__docs` and `mcp__docs__*` are all tools of a server, `mcp__docs__search` is one. */
const OF_SERVER = /^mcp__(?<server>[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*)(?:__(?<tool>[\w*-]+))?$/;

/**
 * The tools of MCP servers that a list names. An agent whose tools are limited has no others. A server of which a tool is
 * withheld is withheld whole: a list of tools cannot say all but one.
 */
function mcpTools(given: readonly string[] = [], withheld: readonly string[] = []): NamedTool[] {
  const serversWithheld = withheld.map((name) => OF_SERVER.exec(name)?.groups?.server);
  return given.flatMap((name) => {
    const { server, tool = "*" } = OF_SERVER.exec(name)?.groups ?? {};
    const isWithheld = serversWithheld.includes(server) || withheld.some((pattern) => matchesStars(pattern, name));
    if (server === undefined || isWithheld) return [];
    return [{ name: serverPrefix(server) + tool, toolset: serverToolset(server) }];
  });
}

/**
 * A pattern such as `Bash(git *)` allows less than the tool, so it allows nothing; a denied pattern removes the whole
 * tool.
 */
function claudeAllows(given: string[] | undefined, withheld: string[]): (row: ToolRow) => boolean {
  const wanted = given?.map((name) => name.toLowerCase());
  const taken = withheld.map((name) => (name.split("(")[0] ?? "").toLowerCase());
  return (row) => {
    const names = listNames(row);
    return (
      (wanted === undefined || names.some((name) => wanted.includes(name))) &&
      !names.some((name) => taken.includes(name))
    );
  };
}

/** The names of a tool in a list, in small letters: people write `read`, and Claude Code's names in opencode's files. */
function listNames({ claude, opencode: [first = ""] }: ToolRow): string[] {
  return [...claude, first].map((name) => name.toLowerCase());
}

function isKnownTool(name: string): boolean {
  return Object.values(TOOLS).some((row) => listNames(row).includes(name.toLowerCase()));
}

/** `ask` is the terminal's default anyway; a file tool that has to ask is removed. */
function opencodeAllows(tools: Fields = {}, permission: Fields = {}, notes: string[]): (row: ToolRow) => boolean {
  const judged = (map: Fields, names: readonly string[]) => {
    const key = [...names, "*"].find((name) => map[name] !== undefined);
    return key === undefined ? undefined : map[key];
  };
  return ({ opencode, toolset }) => {
    const permitted = judged(permission, opencode);
    const words = isRecord(permitted) ? Object.values(permitted) : [permitted];
    const needsToAsk = toolset !== "terminal" && words.includes("ask");
    if (needsToAsk) notes.push(`permission ${opencode[0]}: ask removes it here`);
    return judged(tools, opencode) !== false && !words.includes("deny") && !needsToAsk;
  };
}

function noteUnknownTools(named: string[], format: AgentFormat, notes: string[]): void {
  const known = Object.values(TOOLS).flatMap((row) => row[format]);
  const isKnown = (name: string) => known.includes(name) || isKnownTool(name) || OF_SERVER.test(name);
  const unknown = named.filter((name) => name !== "*" && !isKnown(name));
  if (unknown.length > 0) notes.push(`tools without a counterpart here: ${[...new Set(unknown)].join(", ")}`);
}
