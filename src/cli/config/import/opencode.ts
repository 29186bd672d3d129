/**
 * opencode's opencode.json or .jsonc (opencode.ai/docs: config, permissions, providers, MCP servers). The last rule that
 * matches wins there, and the first one here.
 */
import { consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import { serverPrefix } from "../../../mcp-names.ts";
import type { PermissionRule } from "../../../tool.ts";
import { present } from "../../../values/present.ts";
import { fieldsOf, isRecord } from "../../../values/record.ts";
import { type ForeignConversion, safeBaseUrl } from "./foreign.ts";
import {
  commandRules,
  type ForeignRule,
  fileRules,
  holdsKey,
  leaveOut,
  leaveOutUnneeded,
  ruleFor,
  searchRules,
  WRITERS,
  widened,
} from "./rules.ts";

/** @param files the configs, lowest precedence first */
export function fromOpencode(files: readonly Fields[], conversion: ForeignConversion): Fields {
  const providers: Fields = Object.assign(
    {},
    ...files.map((file) => providersOf(consumeFields(file, "provider"), conversion)),
  );
  const model = files.map((file) => consumeText(file, "model")).findLast((each) => each !== undefined);
  const small = files.map((file) => consumeText(file, "small_model")).findLast((each) => each !== undefined);
  const route = routeOf(model, "model", providers, conversion);
  const smallRoute = routeOf(small, "small_model", providers, conversion);
  const servers: Fields = Object.assign(
    {},
    ...files.map((file) => conversion.mcpServers(consumeFields(file, "mcp"), "mcp")),
  );
  // Old configs say in `tools` what newer ones say in `permission`, which wins.
  const rules = files.flatMap((file) => [
    ...toolRules(consumeFields(file, "tools"), servers, conversion),
    ...permissionRules(consume(file, "permission"), servers, conversion),
  ]);
  for (const file of files) {
    consume(file, "$schema");
    conversion.rest(file, "");
  }
  return {
    ...route,
    providers,
    models: present({ small: smallRoute }),
    permissions: rules.reverse().flat(),
    mcp_servers: servers,
  };
}

// Rules ---------------------------------------------------------------------------------------------------------------

/** Their patterns are about what is searched, not about paths. */
const SEARCHING: Record<string, string> = { glob: "glob", grep: "grep", list: "list_dir" };
const WRITING = ["edit", "write", "patch", "multiedit", "apply_patch"];

/** Each rule as Deputy's rules, in opencode's order. */
function permissionRules(permission: unknown, servers: Fields, conversion: ForeignConversion): PermissionRule[][] {
  const tools = typeof permission === "string" ? { "*": permission } : fieldsOf(permission);
  return Object.entries(tools).flatMap(([tool, value]) =>
    Object.entries(isRecord(value) ? value : { "*": value }).map(([pattern, then]) => {
      const written = `permission.${tool}${isRecord(value) ? ` "${pattern}"` : ""}`;
      if (then !== "allow" && then !== "ask" && then !== "deny")
        return leaveOut({ written, then: "deny" }, "it is not allow, ask or deny", conversion);
      return toolRule(serverTool(tool, servers), pattern, { written, then }, conversion);
    }),
  );
}

/** `docs_search` is a tool of the server `docs`. */
function serverTool(tool: string, servers: Fields): string {
  const server = Object.keys(servers).find((name) => tool.startsWith(`${name}_`));
  return server === undefined ? tool : serverPrefix(server) + tool.slice(server.length + 1);
}

function toolRule(tool: string, pattern: string, rule: ForeignRule, conversion: ForeignConversion): PermissionRule[] {
  if (tool === "*") return everything(pattern, rule, conversion);
  const content = pattern === "*" || pattern === "**" ? undefined : pattern;
  if (content?.includes("?") && rule.then === "allow")
    return leaveOut(rule, "Deputy has no sign for one character", conversion);
  if (tool === "bash") return commandRules(rule, (content ?? "*").replaceAll("?", "*"), conversion);
  if (tool.startsWith("mcp__"))
    return content === undefined && !tool.includes("?")
      ? [ruleFor(tool, undefined, rule.then)]
      : leaveOut(rule, "its pattern cannot be expressed for a tool of an MCP server", conversion);
  const search = SEARCHING[tool];
  if (search !== undefined && content !== undefined) return leaveOut(rule, "its pattern is no path", conversion);
  if (search !== undefined) return [ruleFor(search, undefined, rule.then)];
  if (tool === "webfetch") return pageRules(rule, content, conversion);
  if (tool === "websearch") return searchRules(rule, content, conversion);
  const access = tool === "read" ? "reads" : WRITING.includes(tool) ? "writes" : undefined;
  if (access === undefined) return leaveOutUnneeded(rule, `children have no tool like ${tool}`, conversion);
  if (content === undefined) return fileRules(rule, access, undefined, conversion);
  if (rule.then !== "allow") return fileRules(rule, access, widened(content), conversion);
  if (/^(~|\$HOME|\/)/.test(content))
    return leaveOut(rule, "it is outside of the workspace; see extra_dirs", conversion);
  return fileRules(rule, access, content.replace(/^\.\//, "").replaceAll(/\*+/g, "*"), conversion);
}

/** The pattern is of the whole URL. Here, it covers no other host than it names. */
function pageRules(rule: ForeignRule, pattern: string | undefined, conversion: ForeignConversion): PermissionRule[] {
  if (pattern !== undefined && holdsKey(pattern)) return leaveOut(rule, "it contains what may be a key", conversion);
  if (rule.then === "allow" && pattern?.includes("://") === false)
    return leaveOut(rule, "a rule that allows pages must name their scheme", conversion);
  return [ruleFor("web_fetch", pattern?.replaceAll("?", "*"), rule.then)];
}

/** A rule for every tool; one that allows is for commands and writes only, so files with secrets still ask. */
function everything(pattern: string, rule: ForeignRule, conversion: ForeignConversion): PermissionRule[] {
  if (pattern !== "*") return leaveOut(rule, "a pattern for every tool cannot be expressed", conversion);
  const tools = rule.then === "allow" ? ["terminal", ...WRITERS] : ["*"];
  return tools.map((tool) => ruleFor(tool, undefined, rule.then));
}

function toolRules(tools: Fields, servers: Fields, conversion: ForeignConversion): PermissionRule[][] {
  return Object.entries(tools).map(([tool, isOn]) => {
    const rule: ForeignRule = { written: `tools.${tool}`, then: isOn === false ? "deny" : "allow" };
    if (isOn !== false) return leaveOut(rule, "a tool that is on needs no rule", conversion);
    return toolRule(serverTool(tool, servers), "*", rule, conversion);
  });
}

// Providers and models --------------------------------------------------------------------------------------------------

const MODES: Record<string, string> = {
  "@ai-sdk/openai-compatible": "chat_completions",
  "@ai-sdk/openai": "responses",
  "@ai-sdk/anthropic": "anthropic_messages",
  "@ai-sdk/google": "gemini",
};

/** `{env:NAME}` is how opencode writes a variable. */
const VARIABLE = /^\{env:(\w+)\}$/;

function providersOf(written: Fields, conversion: ForeignConversion): Fields {
  const entries = Object.entries(written).flatMap(([name, value]) => {
    const path = `provider.${name}`;
    const fields = { ...fieldsOf(value) };
    const options = { ...consumeFields(fields, "options") };
    const sdk = consumeText(fields, "npm");
    const baseUrl = safeBaseUrl(consumeText(options, "baseURL", "baseUrl"), path, conversion);
    const entry = present({
      base_url: baseUrl,
      api_mode: baseUrl === undefined ? undefined : MODES[sdk ?? ""],
      api_key_env: keyVariable(consumeText(options, "apiKey"), path, conversion),
      headers: headersOf(consumeFields(options, "headers"), path, conversion),
      models: modelsOf(consumeFields(fields, "models"), path, conversion),
    });
    consume(fields, "name");
    conversion.rest(options, `${path}.options`);
    conversion.rest(fields, path);
    const slug = conversion.known.slugOf(name) ?? name;
    if (baseUrl === undefined && conversion.known.slugOf(name) === undefined) {
      conversion.note(`${path} is omitted: it has no baseURL.`);
      return [];
    }
    return Object.keys(entry).length === 0 ? [] : [[slug, entry] as const];
  });
  return Object.fromEntries(entries);
}

function keyVariable(key: string | undefined, path: string, { note }: ForeignConversion): string | undefined {
  const name = VARIABLE.exec(key ?? "")?.[1];
  if (key !== undefined && name === undefined)
    note(`${path}.options.apiKey is not copied. Put the key into a variable, and name it with api_key_env.`);
  return name;
}

function headersOf(headers: Fields, path: string, { note }: ForeignConversion): Fields | undefined {
  const taken = Object.entries(headers).flatMap(([name, value]) => {
    const variable = VARIABLE.exec(String(value))?.[1];
    if (variable === undefined) note(`${path}.options.headers.${name} is not copied, because it may contain a key.`);
    return variable === undefined ? [] : [[name, `\${${variable}}`] as const];
  });
  return taken.length === 0 ? undefined : Object.fromEntries(taken);
}

function modelsOf(models: Fields, path: string, conversion: ForeignConversion): Fields | undefined {
  const entries = Object.entries(models).map(([id, value]) => {
    const fields = { ...fieldsOf(value) };
    const limit = { ...consumeFields(fields, "limit") };
    consume(fields, "name");
    const facts = present({ context_window: consume(limit, "context"), max_output_tokens: consume(limit, "output") });
    conversion.rest(limit, `${path}.models.${id}.limit`);
    conversion.rest(fields, `${path}.models.${id}`);
    return [id, facts] as const;
  });
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** `anthropic/claude-sonnet-5`: the text before the first slash is the provider. */
function routeOf(
  written: string | undefined,
  key: string,
  providers: Fields,
  { known, note }: ForeignConversion,
): { model: string; provider: string } | undefined {
  if (written === undefined) return undefined;
  const slash = written.indexOf("/");
  const name = written.slice(0, Math.max(slash, 0));
  const provider = known.slugOf(name) ?? (name in providers ? name : undefined);
  if (provider !== undefined) return { model: written.slice(slash + 1), provider };
  note(
    `${key} is omitted: Deputy has no provider ${name === "" ? "for it" : name}.${known.insteadOf(name) === undefined ? "" : ` ${known.insteadOf(name)}`}`,
  );
  return undefined;
}
