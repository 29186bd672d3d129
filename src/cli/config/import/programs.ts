/** Agent programs whose configs `deputy config import` reads: where their files are, their format, and the conversion. */
import { homedir } from "node:os";
import { join } from "node:path";
import { parse as parseToml } from "smol-toml";
import type { Fields } from "../../../config/consume.ts";
import { fieldsOf } from "../../../values/record.ts";
import { parseJsonc } from "../../input/json-text.ts";
import type { Io } from "../../io.ts";
import { fromClaudeCode } from "./claude-code.ts";
import { fromCodex } from "./codex.ts";
import type { Convert } from "./foreign.ts";
import { fromOpencode } from "./opencode.ts";

export type ImportedProgram = {
  title: string;
  /** The user's files, lowest precedence first; those that do not exist are skipped. */
  userFiles(env: Io["env"]): string[];
  /** A project's files, relative to it. */
  projectFiles: string[];
  /** @throws Error of the parser */
  parse(text: string): unknown;
  /** Selects the part of a file that applies. */
  select?(fields: Fields, file: string): Fields;
  convert: Convert;
};

const home = ({ HOME }: Io["env"]) => HOME || homedir();

export const IMPORTED_PROGRAMS: Record<string, ImportedProgram> = {
  "claude-code": {
    title: "Claude Code",
    userFiles: (env) => [
      join(home(env), ".claude.json"),
      join(env.CLAUDE_CONFIG_DIR || join(home(env), ".claude"), "settings.json"),
    ],
    projectFiles: [".mcp.json", ".claude/settings.json", ".claude/settings.local.json"],
    parse: parseJsonc,
    // The rest of this file is state, not settings.
    select: (fields, file) => (file.endsWith(".claude.json") ? { mcpServers: serversIn(fields) } : fields),
    convert: fromClaudeCode,
  },
  codex: {
    title: "Codex",
    userFiles: (env) => [join(env.CODEX_HOME || join(home(env), ".codex"), "config.toml")],
    projectFiles: [".codex/config.toml"],
    parse: parseToml,
    convert: fromCodex,
  },
  opencode: {
    title: "opencode",
    userFiles: (env) =>
      ["opencode.json", "opencode.jsonc"].map((name) =>
        join(env.XDG_CONFIG_HOME || join(home(env), ".config"), "opencode", name),
      ),
    projectFiles: ["opencode.json", "opencode.jsonc", ".opencode/opencode.json", ".opencode/opencode.jsonc"],
    parse: parseJsonc,
    convert: fromOpencode,
  },
};

/** Claude Code keeps the servers of all projects, and those of each, in one file. */
function serversIn({ mcpServers, projects }: Fields): Fields {
  const ofProjects = Object.values(fieldsOf(projects)).map((project) => fieldsOf(fieldsOf(project).mcpServers));
  return Object.assign({}, ...ofProjects, fieldsOf(mcpServers));
}
