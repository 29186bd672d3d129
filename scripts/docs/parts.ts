/** The generated parts of the pages, by name: tables of declarations, and examples computed by the code itself. */
import { decidePermission } from "../../src/child/permissions.ts";
import { OVERRIDES } from "../../src/config/load.ts";
import { configJsonSchema, configKeys, configSchema } from "../../src/config-schema.ts";
import { RETRY_RULES } from "../../src/engine/limits/retry-policy.ts";
import { ERROR_EXIT, type FailureKind } from "../../src/errors.ts";
import { DURABILITY } from "../../src/event.ts";
import {
  BUILT_IN_PROVIDERS,
  type BuiltInProvider,
  UNSUPPORTED_PROVIDERS,
} from "../../src/routing/catalog/built-in-providers.ts";
import { CALL_FIELDS, delegateTaskJsonSchema, TASK_FIELDS } from "../../src/task.ts";
import type { PermissionRule } from "../../src/tool.ts";
import { agentProgramSections } from "./agent-programs.ts";
import { concernTable } from "./concerns.ts";
import { dialectTable, finishReasonTable } from "./dialects.ts";
import { faultMatrix } from "./faults.ts";
import { ERRORS, EVENTS, type Explained, FAILURES, FAULTS, PROBLEMS } from "./meanings.ts";
import { modelStringExamples, precedenceExamples } from "./routes.ts";
import { serverDialectTable } from "./server-dialects.ts";
import { code, type JsonSchema, markdownTable, schemaAt, typeOf } from "./table.ts";

export const PARTS: Record<string, () => string> = {
  "task-fields": taskFields,
  providers: () => markdownTable(PROVIDER_HEAD, BUILT_IN_PROVIDERS.map(providerRow)),
  "unsupported-providers": () =>
    markdownTable(
      ["provider", "alternative"],
      [...UNSUPPORTED_PROVIDERS].map(([name, instead]) => [code(name), instead]),
    ),
  "model-strings": modelStringExamples,
  precedence: precedenceExamples,
  "config-keys": configTable,
  overrides: () =>
    markdownTable(
      ["variable", "overrides"],
      Object.entries(OVERRIDES).map(([variable, key]) => [code(variable), code(key)]),
    ),
  permissions: permissionExamples,
  failures: () => explainedCodes(FAILURES, ["next action", whatFollows]),
  "fault-matrix": faultMatrix,
  problems: () => explainedCodes(PROBLEMS),
  errors: () => explainedCodes(ERRORS, ["exit code", (name) => String(ERROR_EXIT[name])]),
  events: () =>
    markdownTable(
      ["event", "storage", "meaning"],
      Object.entries(EVENTS).map(([kind, meaning]) => [
        code(kind),
        KEPT[DURABILITY[kind as keyof typeof EVENTS]],
        meaning,
      ]),
    ),
  faults: () =>
    markdownTable(
      ["fault", "meaning"],
      Object.entries(FAULTS).map(([name, meaning]) => [code(name), meaning]),
    ),
  "agent-programs": agentProgramSections,
  concerns: concernTable,
  dialects: dialectTable,
  "server-dialects": serverDialectTable,
  "finish-reasons": finishReasonTable,
};

/** @param beside an additional column before the one for what to do */
function explainedCodes<Code extends string>(
  explained: Record<Code, Explained>,
  beside?: [head: string, cell: (name: Code) => string],
): string {
  return markdownTable(
    ["code", "message", "meaning", ...(beside ? [beside[0]] : []), "solution"],
    (Object.entries(explained) as [Code, Explained][]).map(([name, { says, means, todo }]) => [
      code(name),
      says.map((words) => `“${words}”`).join("<br>"),
      means,
      ...(beside ? [beside[1](name)] : []),
      todo,
    ]),
  );
}

const KEPT = { live: "live only", stored: "stored", barrier: "stored before the run continues" };

function taskFields(): string {
  const { properties = {} } = delegateTaskJsonSchema() as JsonSchema;
  return markdownTable(
    ["field", "allowed in", "value", "meaning"],
    Object.entries(properties).map(([name, schema]) => [
      code(name),
      [...(TASK_FIELDS.includes(name) ? ["task"] : []), ...(CALL_FIELDS.includes(name) ? ["call"] : [])].join(", "),
      name === "tasks" ? "list of tasks" : typeOf(schema),
      schema.description ?? "",
    ]),
  );
}

const PROVIDER_HEAD = [
  "provider",
  "aliases",
  "key variables",
  "base URL",
  "base-URL variable",
  "API mode",
  "default model",
];

function providerRow({ slug, otherNames = [], keys, keyOptional, baseUrl, ...row }: BuiltInProvider): string[] {
  const names = keys.map(keyCell);
  const homes = (row.homes ?? []).map((home) => `; keys ${code(`${home.keyPrefix}…`)}: ${home.baseUrl}`);
  const modes = (row.modelModes ?? []).map(
    ([pattern, mode]) =>
      `; ${code(pattern.source.replace(/^\^/, "").replaceAll("|", "`, `").replaceAll("\\/", "/"))}…: ${mode}`,
  );
  return [
    code(slug),
    otherNames.map(code).join(", "),
    [...names, ...(keyOptional ? ["none needed"] : [])].join(", "),
    `${baseUrl}${homes.join("")}`,
    [row.baseUrlVariable ?? [], row.cloud?.variables ?? []].flat().map(code).join(", "),
    `${row.apiMode}${modes.join("")}`,
    row.defaultModel === undefined ? "" : code(row.defaultModel),
  ];
}

/** A key's variables, and how it is shown where that is not as usual. */
function keyCell({ name, header, document, isFile }: BuiltInProvider["keys"][number]): string {
  const more = Object.values({ ...document?.secrets, ...document?.optionalSecrets }).slice(1);
  if (document !== undefined) return `${[name, ...more].map(code).join(" + ")} (signed)`;
  return `${code(name)}${header === "authorization" ? " (bearer)" : isFile ? " (a file)" : ""}`;
}

function configTable(): string {
  const schema = configJsonSchema() as JsonSchema;
  return markdownTable(
    ["key", "value", "default", "meaning"],
    configKeys().map(({ path, description }) => [
      code(path),
      typeOf(schemaAt(schema, path)),
      defaultOf(path),
      description,
    ]),
  );
}

/** The default value; empty for maps, whose keys have their own lines. */
function defaultOf(path: string): string {
  const value = path
    .split(".")
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], configSchema.parse({}));
  const isMap = typeof value === "object" && !Array.isArray(value);
  return value === undefined || isMap ? "" : code(Array.isArray(value) ? `[${value.join(", ")}]` : String(value));
}

const ALLOW_GIT: PermissionRule = { tool: "terminal", match: "git *", then: "allow" };
const DENY_RM: PermissionRule = { tool: "terminal", match: "rm *", then: "deny" };

const COMMAND_LINES: [PermissionRule, string][] = [
  [ALLOW_GIT, "git status"],
  [ALLOW_GIT, "git log && git diff 2>/dev/null"],
  [ALLOW_GIT, "git log | head -3"],
  [ALLOW_GIT, "git log > log.txt"],
  [ALLOW_GIT, "git show $(cat name)"],
  [DENY_RM, "ls; rm notes.txt"],
  [DENY_RM, "echo $(rm notes.txt)"],
  [DENY_RM, "/bin/rm notes.txt"],
  [DENY_RM, "sh -c 'rm notes.txt'"],
];

/** Examples of one rule's decisions about command lines, with `approvals: ask`. */
function permissionExamples(): string {
  return markdownTable(
    ["rule", "command line", "decision"],
    COMMAND_LINES.map(([rule, line]) => {
      const { decision } = decidePermission([rule], "ask", "terminal", {
        target: line,
        otherwise: "ask",
        isCommandLine: true,
      });
      return [code(`${rule.match}: ${rule.then}`), code(line), decision];
    }),
  );
}

function whatFollows(kind: FailureKind): string {
  const { tries, waitMs, fallback } = RETRY_RULES[kind];
  const again =
    tries === 1 ? "no retry" : `${tries} tries${waitMs === 0 ? "" : `, the second after up to ${waitMs / 1000} s`}`;
  return fallback ? `${again}, then a fallback` : again;
}
