/**
 * Agent programs that can use Deputy over MCP, one row each: location and format of their server settings. Sources: the
 * programs' own documentation of MCP servers, as of November 2026.
 */
import { homedir } from "node:os";
import { join } from "node:path";
import type { Io } from "../io.ts";
import type { SettingsFormat } from "./settings-entry.ts";
import type { EntryPath } from "./settings-syntax.ts";

/** The command line that starts Deputy. */
type Launch = { command: string; args: string[] };

/** Names of the set variables that Deputy reads, including keys: never a value. */
export type VariableNames = readonly string[];

export type AgentProgram = {
  title: string;
  format: SettingsFormat;
  /** The settings file for all projects. */
  userFile(env: Io["env"]): string;
  /** The settings file of a single project, relative to it; absent if the program reads none. */
  projectFile?: string;
  /** The program also reads these files with the extension `.jsonc`; such a file is used if it is the only one. */
  readsJsonc?: true;
  /** Path to the entry in the file. */
  at: EntryPath;
  entry(launch: Launch, variables: VariableNames): Record<string, unknown>;
  /** Further instructions for the user. */
  note?: string;
};

const NAME = "deputy";

export const AGENT_PROGRAMS: Record<string, AgentProgram> = {
  "claude-code": {
    title: "Claude Code",
    format: "json",
    userFile: ({ HOME }) => join(HOME || homedir(), ".claude.json"),
    projectFile: ".mcp.json",
    at: ["mcpServers", NAME],
    entry: (launch) => ({ type: "stdio", ...launch }),
    note: "Deputy inherits the environment of Claude Code, including keys.",
  },
  codex: {
    title: "Codex",
    format: "toml",
    userFile: ({ HOME, CODEX_HOME }) => join(CODEX_HOME || join(HOME || homedir(), ".codex"), "config.toml"),
    projectFile: ".codex/config.toml",
    at: ["mcp_servers", NAME],
    entry: (launch, variables) => ({ ...launch, ...(variables.length > 0 && { env_vars: variables }) }),
    note: "Codex passes on only the variables listed in env_vars: add one when you get a key for another provider.",
  },
  opencode: {
    title: "opencode",
    format: "json",
    userFile: ({ HOME, XDG_CONFIG_HOME }) =>
      join(XDG_CONFIG_HOME || join(HOME || homedir(), ".config"), "opencode", "opencode.json"),
    projectFile: "opencode.json",
    readsJsonc: true,
    at: ["mcp", NAME],
    entry: ({ command, args }) => ({ type: "local", command: [command, ...args], enabled: true }),
    note: "Deputy inherits the environment of opencode, including keys.",
  },
  cursor: {
    title: "Cursor",
    format: "json",
    userFile: ({ HOME }) => join(HOME || homedir(), ".cursor", "mcp.json"),
    projectFile: ".cursor/mcp.json",
    at: ["mcpServers", NAME],
    entry: (launch) => ({ type: "stdio", ...launch }),
    note: "If you start Cursor from the desktop, it does not have your shell's variables: put keys into a .env next to Deputy's config.",
  },
  hermes: {
    title: "Hermes",
    format: "yaml",
    userFile: ({ HOME, HERMES_HOME }) => join(HERMES_HOME || join(HOME || homedir(), ".hermes"), "config.yaml"),
    at: ["mcp_servers", NAME],
    entry: (launch, variables) => ({
      ...launch,
      ...(variables.length > 0 && { env: Object.fromEntries(variables.map((name) => [name, `\${${name}}`])) }),
    }),
    note: "Hermes passes on only the variables under env: add one when you get a key for another provider.",
  },
  vscode: {
    title: "VS Code",
    format: "json",
    userFile: ({ HOME, XDG_CONFIG_HOME }) =>
      join(XDG_CONFIG_HOME || join(HOME || homedir(), ".config"), "Code", "User", "mcp.json"),
    projectFile: ".vscode/mcp.json",
    at: ["servers", NAME],
    entry: (launch) => ({ type: "stdio", ...launch }),
    note: "If you start VS Code from the desktop, it does not have your shell's variables: put keys into a .env next to Deputy's config.",
  },
};
