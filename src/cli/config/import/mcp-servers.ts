/**
 * MCP servers of other programs as Deputy's `mcp_servers`. Keys are never copied: a variable is named in their place. A
 * server of which a part cannot be expressed is omitted, rather than started in another way.
 */
import { type ConversionNotes, consume, consumeFields, consumeText, type Fields } from "../../../config/consume.ts";
import { looksLikeSecret, mayBeKey, namesSecret } from "../../../secret.ts";
import { variablesIn } from "../../../template.ts";
import { present } from "../../../values/present.ts";
import { fieldsOf } from "../../../values/record.ts";

/** The programs' own names of what all of them have. */
const NAMES = {
  env: ["env", "environment"],
  headers: ["headers", "http_headers"],
  callSeconds: ["tool_timeout_sec"],
  startSeconds: ["startup_timeout_sec", "connect_timeout"],
} as const;
/** Fields without a meaning here, or whose meaning another one has. */
const IGNORED = ["type", "transport", "name", "description", "alwaysAllow", "autoApprove", "sampling"];

/** @param written servers by name */
export function importedServers(written: Fields, path: string, conversion: ConversionNotes): Fields {
  const entries = Object.entries(written).flatMap(([name, value]) => {
    const place = `${path}.${name}`;
    const fields = { ...fieldsOf(value) };
    const entry = serverOf(name, fields, place, conversion);
    if (typeof entry === "string") {
      conversion.note(`${place} is omitted: ${entry}.`);
      return [];
    }
    conversion.rest(fields, place);
    const own = ownName(name);
    if (own !== name) conversion.note(`${place} is called ${own} here.`);
    return [[own, entry] as const];
  });
  return Object.fromEntries(entries);
}

function ownName(name: string): string {
  const words = name.split(/[^A-Za-z0-9_-]+|[_-]{2,}/).map((word) => word.replaceAll(/^[_-]+|[_-]+$/g, ""));
  return (
    words
      .filter(Boolean)
      .join("_")
      .slice(0, 32)
      .replace(/[_-]+$/, "") || "server"
  );
}

/** A server in Deputy's form, or why it has none. */
function serverOf(name: string, fields: Fields, path: string, { note }: ConversionNotes): Fields | string {
  const type = String(fields.type ?? fields.transport ?? "");
  const isOff = consume(fields, "enabled") === false || consume(fields, "disabled") === true;
  for (const each of IGNORED) delete fields[each];
  if (isOff) return "it is turned off";
  if (type === "sse" || type === "ws") return `Deputy speaks no ${type}. Use its URL for streamable HTTP`;
  const [command, ...more] = [consume(fields, "command") ?? []].flat().map(String);
  const args = [...more, ...[consume(fields, "args") ?? []].flat().map(String)];
  if (
    [command ?? "", ...args].some((arg) => plainVariables(arg) !== arg || variablesIn(arg).length > 0 || mayBeKey(arg))
  )
    return "an argument has a variable, or may be a key, and other programs can read arguments. Pass it in env";
  const url = consumeText(fields, "url", "httpUrl");
  const secretly = (part: string, values: Fields, variableFor: (key: string) => string) =>
    withoutKeys(values, (key) => {
      const variable = variableFor(key);
      note(`${path}.${part}.${key} may be a key and is not copied. Put it into the variable ${variable}.`);
      return variable;
    });
  const prefix = ownName(name).toUpperCase().replaceAll("-", "_");
  const env = secretly("env", envOf(fields), (key) => key);
  const headers = secretly(
    "headers",
    headersOf(fields),
    (key) => `${prefix}_${key.toUpperCase().replaceAll(/\W/g, "_")}`,
  );
  if (command === undefined && url === undefined) return "it has neither a command nor a URL";
  return present({
    command,
    args: args.length > 0 ? args : undefined,
    env: isEmpty(env) ? undefined : env,
    cwd: consumeText(fields, "cwd"),
    url: url === undefined ? undefined : plainVariables(url),
    headers: isEmpty(headers) ? undefined : headers,
    ...toolsOf(fields, path, note),
    ...timesOf(fields),
  });
}

function envOf(fields: Fields): Fields {
  const named = [consume(fields, "env_vars") ?? []].flat().map((name) => [String(name), `\${${String(name)}}`]);
  return Object.assign(Object.fromEntries(named), ...NAMES.env.map((name) => consumeFields(fields, name)));
}

function headersOf(fields: Fields): Fields {
  const token = consumeText(fields, "bearer_token_env_var");
  const named = Object.entries(consumeFields(fields, "env_http_headers")).map(([key, name]) => [
    key,
    `\${${String(name)}}`,
  ]);
  return {
    ...Object.assign({}, ...NAMES.headers.map((name) => consumeFields(fields, name))),
    ...Object.fromEntries(named),
    ...(token !== undefined && { Authorization: `Bearer \${${token}}` }),
  };
}

function toolsOf(fields: Fields, path: string, note: ConversionNotes["note"]): Fields {
  const { include, exclude } = consumeFields(fields, "tools");
  const withheld = consume(fields, "disabled_tools") ?? exclude;
  if (withheld !== undefined)
    note(`WARNING: ${path} withholds tools, which Deputy cannot express. Name those that children get in tools.`);
  return present({ tools: consume(fields, "enabled_tools") ?? include });
}

function timesOf(fields: Fields): Fields {
  const milliseconds = (...names: string[]) => {
    const value = consume(fields, ...names);
    return typeof value === "number" ? value / 1000 : undefined;
  };
  return present({
    timeout_seconds: consume(fields, ...NAMES.callSeconds),
    start_timeout_seconds: consume(fields, ...NAMES.startSeconds) ?? milliseconds("startup_timeout_ms"),
  });
}

/** Values with variables in Deputy's form. @param variableFor names the variable for a value that may be a key */
function withoutKeys(values: Fields, variableFor: (key: string) => string): Fields {
  const entries = Object.entries(values).map(([key, value]) => {
    const text = plainVariables(String(value));
    const isKey = variablesIn(text).length === 0 && (namesSecret(key) || looksLikeSecret(key, text) || mayBeKey(text));
    return [key, isKey ? `\${${variableFor(key)}}` : text] as const;
  });
  return Object.fromEntries(entries);
}

/** `${NAME:-default}`, `${env:NAME}` and `{env:NAME}` are `${NAME}`. */
function plainVariables(text: string): string {
  return text.replaceAll(/\$?\{(?:env:)?([A-Za-z_]\w*)(?::-[^}]*)?\}/g, (whole, name: string) =>
    whole.startsWith("$") || whole.startsWith("{env:") ? `\${${name}}` : whole,
  );
}

function isEmpty(fields: Fields): boolean {
  return Object.keys(fields).length === 0;
}
