/**
 * Claude Code's settings (code.claude.com/docs: settings, permissions, MCP). Its rules are checked in the order deny,
 * ask, allow, whatever their place; a path is written as in .gitignore.
 */
import { consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import type { PermissionRule } from "../../../tool.ts";
import { present } from "../../../values/present.ts";
import type { ForeignConversion } from "./foreign.ts";
import {
  commandRules,
  type ForeignRule,
  fileRules,
  holdsKey,
  leaveOut,
  leaveOutUnneeded,
  type RuleDecision,
  ruleFor,
  searchRules,
  widened,
} from "./rules.ts";

const ORDER = ["deny", "ask", "allow"] as const satisfies RuleDecision[];

/** @param files the settings, lowest precedence first, and files with `mcpServers` */
export function fromClaudeCode(files: readonly Fields[], conversion: ForeignConversion): Fields {
  const permissions = files.map((settings) => consumeFields(settings, "permissions"));
  const rules = ORDER.flatMap((then) =>
    permissions.flatMap((each) =>
      textsIn(consume(each, then)).flatMap((text) => rulesOf({ written: text, then }, conversion)),
    ),
  );
  const route = files.map((settings) => routeOf(settings, conversion)).findLast(({ model }) => model !== undefined);
  const modes = permissions.map((each) => consumeText(each, "defaultMode")).filter((mode) => mode !== undefined);
  for (const each of permissions) {
    if (consume(each, "additionalDirectories") !== undefined)
      conversion.note(
        "permissions.additionalDirectories: children could write there without approval. Add them to extra_dirs yourself.",
      );
    conversion.rest(each, "permissions");
  }
  const servers: Fields[] = files.map((settings) =>
    conversion.mcpServers(consumeFields(settings, "mcpServers"), "mcpServers"),
  );
  for (const settings of files) conversion.rest(settings, "");
  return {
    ...route,
    permissions: rules,
    delegation: modeOf(modes.at(-1), rules, conversion),
    mcp_servers: Object.assign({}, ...servers),
  };
}

function textsIn(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).filter((each) => typeof each === "string");
}

// Rules ---------------------------------------------------------------------------------------------------------------

const READING = ["Read", "Grep", "Glob", "LS"];
const WRITING = ["Edit", "Write", "MultiEdit", "NotebookEdit"];

function rulesOf(rule: ForeignRule, conversion: ForeignConversion): PermissionRule[] {
  const [, tool = "", inside] = /^\s*([^\s(]+)\s*(?:\(([\s\S]*)\))?\s*$/.exec(rule.written) ?? [];
  const content = inside === undefined || inside.trim() === "" || inside.trim() === "*" ? undefined : inside.trim();
  if (tool === "Bash") return bashRules(rule, content, conversion);
  if (READING.includes(tool)) return pathRules(rule, "reads", content, conversion);
  if (WRITING.includes(tool)) return pathRules(rule, "writes", content, conversion);
  if (tool === "" || tool === "*")
    return leaveOut(rule, "it is no rule for one tool; see delegation.approvals", conversion);
  if (tool.startsWith("mcp__")) return [ruleFor(serverTool(tool), undefined, rule.then)];
  if (tool === "WebFetch") return pageRules(rule, content, conversion);
  if (tool === "WebSearch") return searchRules(rule, content, conversion);
  return leaveOutUnneeded(rule, `children have no tool like ${tool}`, conversion);
}

/** `mcp__docs` means every tool of that server. */
function serverTool(tool: string): string {
  return /^mcp__(?:(?!__).)+$/.test(tool) && !tool.endsWith("*") ? `${tool}__*` : tool;
}

/** `npm test:*` is `npm test`, alone or with arguments. */
function bashRules(rule: ForeignRule, content: string | undefined, conversion: ForeignConversion): PermissionRule[] {
  if (content === undefined) return commandRules(rule, "*", conversion);
  const pattern = content.replace(/\s*:\*$/, " *").trim();
  if (pattern.includes(":*") && rule.then === "allow")
    return leaveOut(rule, "`:*` has a meaning only at the end", conversion);
  if (rule.then === "deny") conversion.once(WRAPPED);
  return commandRules(rule, pattern.replaceAll(":*", "*"), conversion);
}

const WRAPPED =
  "Claude Code also denies a command behind timeout, nice, nohup and the like. Here, such a command needs approval, unless a rule allows it.";

function pathRules(
  rule: ForeignRule,
  access: "reads" | "writes",
  content: string | undefined,
  conversion: ForeignConversion,
): PermissionRule[] {
  if (rule.then === "allow" && access === "reads")
    return leaveOut(rule, "reading in the workspace needs no rule, and files with secrets still ask", conversion);
  if (content === undefined) return fileRules(rule, access, undefined, conversion);
  if (content.startsWith("!")) return leaveOut(rule, "an exception with ! cannot be expressed", conversion);
  if (rule.then !== "allow" && access === "reads") return unread(rule, widened(content), conversion);
  if (rule.then !== "allow") {
    conversion.once(CHANGED_BY_COMMANDS);
    return fileRules(rule, access, widened(content), conversion);
  }
  if (/^(\/\/|~)/.test(content)) return leaveOut(rule, "it is outside of the workspace; see extra_dirs", conversion);
  const pattern = content.replace(/^(\.\/|\/)/, "");
  const isExact = !/[?[\]{}]/.test(pattern) && !/(?<!\*|\*\*\/)\*(?!\*)/.test(pattern);
  if (!isExact) return leaveOut(rule, "Deputy's * would allow more, also in directories below", conversion);
  return fileRules(rule, access, pattern.replaceAll(/\*+/g, "*"), conversion);
}

const CHANGED_BY_COMMANDS =
  "WARNING: rules that keep files from changing hold for file tools. A command that a rule allows can still change such a file.";

/** Claude Code applies these rules to commands such as cat and sed too: here, a rule for every tool does. */
function unread(rule: ForeignRule, pattern: string, conversion: ForeignConversion): PermissionRule[] {
  if (pattern.trim() === "" || holdsKey(pattern))
    return leaveOut(rule, "its pattern is empty, or contains what may be a key", conversion);
  conversion.once("Rules that keep a file from reading became rules for every tool, because commands can read it too.");
  return [ruleFor("*", pattern, rule.then)];
}

/**
 * `domain:example.com` is that host alone, and `domain:*.example.com` those below it, on any port:
 * anthropics/claude-code#15260, #67244.
 */
function pageRules(rule: ForeignRule, content: string | undefined, conversion: ForeignConversion): PermissionRule[] {
  if (content === undefined) return [ruleFor("web_fetch", undefined, rule.then)];
  const [, host] = /^domain:\s*((?:\*\.)?[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)*)$/iu.exec(content) ?? [];
  if (host === undefined) return leaveOut(rule, "it is no rule for one domain", conversion);
  return [ruleFor("web_fetch", rule.then === "allow" ? `https://${host}/*` : `${host}:*`, rule.then)];
}

// Modes and models ----------------------------------------------------------------------------------------------------

function modeOf(mode: string | undefined, rules: PermissionRule[], { note }: ForeignConversion): Fields {
  if (mode === "dontAsk") return { approvals: "deny" };
  if (mode === "bypassPermissions" || mode === "auto")
    note(`permissions.defaultMode: ${mode} is not taken. If you want it, set delegation.approvals: allow yourself.`);
  if (mode === "plan") {
    for (const tool of ["write_file", "edit_file", "terminal"]) rules.unshift({ tool, then: "deny" });
    note("permissions.defaultMode: plan became rules that deny every write and command.");
  }
  if (mode === undefined || mode === "default")
    note(
      "Claude Code asks before it changes a file; Deputy's children may write in the workspace. To ask, add rules for write_file and edit_file.",
    );
  return {};
}

/** Claude Code's own words for models. */
const MODEL_WORDS: Record<string, string | undefined> = { default: undefined, opusplan: "opus", best: "opus" };

function routeOf(settings: Fields, { note }: ForeignConversion): { model?: string; provider?: string } {
  const written = consumeText(settings, "model")?.replace(/\[1m\]$/i, "");
  const env = consumeFields(settings, "env");
  const names = Object.keys(env);
  if (names.length > 0)
    note(`env is not copied, because it may contain keys. Set what children need yourself: ${names.join(", ")}.`);
  if (written === undefined) return {};
  const model = written.toLowerCase() in MODEL_WORDS ? MODEL_WORDS[written.toLowerCase()] : written;
  const isElsewhere = names.some((name) => /^(ANTHROPIC_BASE_URL|CLAUDE_CODE_USE_\w+)$/.test(name));
  if (isElsewhere) note("model is omitted: env sends it to another endpoint. Set model and provider yourself.");
  return model === undefined || isElsewhere ? {} : present({ model, provider: "anthropic" });
}
