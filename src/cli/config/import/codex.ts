/** Codex's config.toml (developers.openai.com/codex: config reference, MCP, sandboxing and approvals). */
import { consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import { isEffort } from "../../../route.ts";
import type { PermissionRule } from "../../../tool.ts";
import { present } from "../../../values/present.ts";
import { fieldsOf } from "../../../values/record.ts";
import { type ForeignConversion, safeBaseUrl } from "./foreign.ts";
import { WRITERS } from "./rules.ts";

const MODES: Record<string, string> = { chat: "chat_completions", responses: "responses" };

/** @param files the configs, lowest precedence first */
export function fromCodex(files: readonly Fields[], conversion: ForeignConversion): Fields {
  const codex: Fields = Object.assign({}, ...files);
  const providers = providersOf(consumeFields(codex, "model_providers"), conversion);
  const route = routeOf(codex, providers, conversion);
  const permissions = sandboxRules(codex, conversion);
  const servers = conversion.mcpServers(consumeFields(codex, "mcp_servers"), "mcp_servers");
  conversion.rest(codex, "");
  return { ...route, providers, permissions, mcp_servers: servers };
}

function routeOf(codex: Fields, providers: Fields, { known, note }: ForeignConversion): Fields {
  const model = consumeText(codex, "model");
  const named = consumeText(codex, "model_provider");
  const written = consumeText(codex, "model_reasoning_effort")?.toLowerCase();
  if (written !== undefined && !isEffort(written)) note("model_reasoning_effort is omitted: Deputy has no such level.");
  const effort = present({ reasoning_effort: written !== undefined && isEffort(written) ? written : undefined });
  const provider = named === undefined ? "openai" : named in providers ? named : known.slugOf(named);
  if (provider === undefined) note("model and model_provider are omitted: Deputy has no such provider.");
  if (provider === undefined || (model === undefined && named === undefined)) return effort;
  return { ...present({ model }), provider, ...effort };
}

function providersOf(written: Fields, conversion: ForeignConversion): Fields {
  const entries = Object.entries(written).flatMap(([name, value]) => {
    const path = `model_providers.${name}`;
    const fields = { ...fieldsOf(value) };
    const baseUrl = safeBaseUrl(consumeText(fields, "base_url"), path, conversion);
    const mode = consumeText(fields, "wire_api") ?? "responses";
    const headers = consumeFields(fields, "env_http_headers");
    if (consume(fields, "experimental_bearer_token") !== undefined)
      conversion.note(
        `${path}.experimental_bearer_token is a key and is not copied. Put it into a variable: api_key_env.`,
      );
    if (consume(fields, "http_headers") !== undefined)
      conversion.note(`${path}.http_headers is not copied, because it may contain keys. Add headers with variables.`);
    consume(fields, "name");
    const entry = present({
      base_url: baseUrl,
      api_mode: MODES[mode],
      api_key_env: consumeText(fields, "env_key"),
      headers: Object.keys(headers).length > 0 ? withVariables(headers) : undefined,
    });
    conversion.rest(fields, path);
    if (baseUrl === undefined) {
      conversion.note(`${path} is omitted: it has no base_url.`);
      return [];
    }
    return [[name, entry] as const];
  });
  return Object.fromEntries(entries);
}

/** Codex names the variable of each header. */
function withVariables(headers: Fields): Fields {
  return Object.fromEntries(Object.entries(headers).map(([header, name]) => [header, `\${${String(name)}}`]));
}

/** Codex approves by sandbox, and Deputy by rule: only what makes children stricter is taken. */
function sandboxRules(codex: Fields, { note }: ForeignConversion): PermissionRule[] {
  const policy = consume(codex, "approval_policy");
  const mode = consumeText(codex, "sandbox_mode");
  if (policy !== undefined)
    note(
      typeof policy === "string" && ["untrusted", "on-request", "on-failure"].includes(policy)
        ? `approval_policy: ${policy} is not taken. Deputy asks before every command that no rule allows.`
        : "approval_policy is not taken: it relies on Codex's sandbox. See delegation.approvals.",
    );
  if (mode === "danger-full-access" || mode === "workspace-write")
    note(`sandbox_mode: ${mode} is not taken. Deputy's file tools stay in the workspace, and commands need approval.`);
  const then = policy === "never" ? "deny" : "ask";
  return mode === "read-only" ? WRITERS.map((tool) => ({ tool, then })) : [];
}
