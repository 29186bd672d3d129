// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the document names a variable.
/**
 * The configuration: one schema, from which files are read, the reference in the docs and the JSON Schema for editors
 * are generated. A key is here only when it has its effect; its description is what users read about it.
 */
import { z } from "zod";
import { API_MODES, EFFORTS } from "../route.ts";
import { ROLES } from "../task.ts";
import { namesVariablesRightly, Template } from "./template.ts";

/** The toolsets a child can have. */
export const TOOLSETS = ["file", "search", "terminal"] as const;

const effort = z.enum(EFFORTS);
const usdPerMillion = z.number().nonnegative();
const count = z.int().positive();
const seconds = z.number().nonnegative();
const VARIABLE_FORM = "variables as ${NAME}, of letters, digits and _";
/** May hold a key: kept unread, see `template.ts`. */
const hidden = z
  .string()
  .min(1)
  .refine(namesVariablesRightly, VARIABLE_FORM)
  .transform((text) => new Template(text));
const baseUrl = z
  .string()
  .refine(isBaseUrl, "an http(s) URL without a user name, query or fragment")
  .refine(namesVariablesRightly, VARIABLE_FORM);

/** A model's name is sent as it is written; a variable in it would reach the provider unread. */
const NO_VARIABLE = "a model without variables, which are read in keys, headers and base_url alone";
const namesNoVariable = (model: unknown) => !/\$\{\w+\}/.test(JSON.stringify(model));

const price = z
  .strictObject({
    input: usdPerMillion.describe("USD per million input tokens."),
    output: usdPerMillion.describe("USD per million output tokens, reasoning included."),
    cached_input: usdPerMillion
      .optional()
      .describe("USD per million input tokens read from the provider's cache. Left out: the price of input."),
  })
  .describe("What the model costs here. Goes before the price library; needed for your own endpoints to have a cost.");

const modelFacts = z
  .strictObject({
    context_window: count.optional().describe("Tokens of text and answer together. Longer tasks are refused unsent."),
    max_output_tokens: count.optional().describe("Most tokens of one answer; sent as the limit of each request."),
    price: price.optional(),
    reasoning_efforts: z
      .array(effort)
      .optional()
      .describe("The effort levels it takes; any other is refused before a request is sent. `[]`: none."),
    tools: z
      .boolean()
      .optional()
      .describe(
        "Whether it can call tools. `false`: a child on it gets none, and a task that names toolsets is refused.",
      ),
    vision: z.boolean().optional().describe("Whether it takes images. `false`: a task with `images` is refused on it."),
  })
  .describe("What you know of one model.");

const provider = z
  .strictObject({
    base_url: baseUrl
      .optional()
      .describe("Where requests go. `${NAME}` is read from the environment. Needed for a provider of your own."),
    api_mode: z
      .enum([...API_MODES, "codex_responses"])
      .transform((mode) => (mode === "codex_responses" ? "responses" : mode))
      .optional()
      .describe("The wire format spoken there. Left out: what the host is known to speak, else the provider's own."),
    api_key: hidden
      .optional()
      .describe(
        "The key, best as `${NAME}` from the environment. It is sent to this entry's endpoint and nowhere else.",
      ),
    api_key_env: z
      .string()
      .min(1)
      .optional()
      .describe("The variable that holds the key; like `api_key`, it belongs to this entry's endpoint."),
    api_keys: z
      .array(hidden)
      .optional()
      .describe(
        "More keys of the same provider. With `api_key` they form a pool: a request takes the key with the fewest " +
          "under way, and one that is refused, limited or used up rests while the others go on.",
      ),
    api_key_command: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .optional()
      .describe(
        "A command that prints the key as its first line: a text for `/bin/sh`, or a list of program and arguments. " +
          "Run when a request first needs it, and again once the provider refuses the key; never shown.",
      ),
    default_model: z
      .string()
      .min(1)
      .refine(namesNoVariable, NO_VARIABLE)
      .optional()
      .describe("The model that is used where only this provider is named."),
    headers: z
      .record(z.string(), hidden.describe("The header's value."))
      .optional()
      .describe("Headers sent with every request to this provider. `${NAME}` is read from the environment."),
    max_concurrent: count.optional().describe("Most requests under way at this provider at once. Left out: no limit."),
    requests_per_minute: count
      .optional()
      .describe("Most requests that leave for this provider within a minute, over everything this process runs."),
    tokens_per_minute: count
      .optional()
      .describe(
        "Most tokens, questions and answers together, that requests to this provider take within a minute. Estimated " +
          "before a request leaves, counted as the provider reports them after it.",
      ),
    models: z
      .record(z.string(), modelFacts)
      .optional()
      .describe("What you know of its models, by model id. Goes before everything else Deputy knows of them."),
  })
  .describe("One provider.");

const modelObject = z.strictObject({
  model: z.string().min(1).describe("Model id, or another alias."),
  provider: z.string().min(1).optional().describe("The provider it runs on. Left out: the current one."),
  reasoning_effort: effort.optional().describe("How hard it thinks."),
});
const modelWish = z.union([z.string().min(1), modelObject]).refine(namesNoVariable, NO_VARIABLE);
const fallbacks = z.array(modelWish);

const alias = z
  .union([
    z.string().min(1),
    modelObject.extend({
      fallbacks: fallbacks.optional().describe("Models to go on with, in order, when this one fails."),
    }),
  ])
  .refine(namesNoVariable, NO_VARIABLE)
  .describe("A model id, another alias, `id --provider slug`, or these keys.");

const permission = z.strictObject({
  tool: z.string().min(1).describe("The tool it is about; `*` stands for anything."),
  match: z
    .string()
    .min(1)
    .optional()
    .describe("The exact command or path it is about; `*` stands for anything. Left out: every call of the tool."),
  then: z.enum(["allow", "ask", "deny"]).describe("What happens to the call."),
});

/** What a delegating model may or may not choose: a pattern, or a pattern with efforts. */
const choicePattern = z.union([
  z.string().min(1),
  z.strictObject({
    match: z.string().min(1).describe("The pattern, as it would stand alone."),
    efforts: z.array(effort).min(1).describe("The effort levels it is about."),
  }),
]);

const rule = z.strictObject({
  when: z
    .strictObject({
      tag: z.string().min(1).optional().describe("A word among the task's `tags`, in any case."),
      toolset: z
        .enum(TOOLSETS)
        .optional()
        .describe("A toolset the child gets, because it was asked for or by default."),
      agent: z.string().min(1).optional().describe("The agent definition that the task names, in any case."),
      images: z.boolean().optional().describe("`true`: the task has images; `false`: it has none."),
      role: z.enum(ROLES).optional().describe("Whether the child may delegate: `orchestrator`, or `leaf`."),
    })
    .refine((when) => Object.keys(when).length > 0, "at least one of tag, toolset, agent, images, role")
    .describe("What the task has to be; of several conditions, all."),
  use: modelWish.describe("What it runs on: an alias, a model as a task may write it, or a map."),
});

const agent = z
  .strictObject({
    description: z.string().min(1).optional().describe("What it is for; whoever delegates chooses by it."),
    prompt: z.string().min(1).describe("What the child is told of its part, beside its task."),
    model: modelWish.optional().describe("What it runs on, unless the call or the task says otherwise."),
    provider: z.string().min(1).optional().describe("The provider it runs on. Brings its own endpoint and key."),
    reasoning_effort: effort.optional().describe("How hard it thinks."),
    fallbacks: fallbacks.optional().describe("Models to go on with, in order, when its own fails."),
    toolsets: z
      .array(z.enum(TOOLSETS))
      .optional()
      .describe("The most it may have of the toolsets that `delegation.toolsets` gives. Left out: all of them."),
    max_iterations: count.optional().describe("Most model requests with tools; the lower of this and others holds."),
    timeout_seconds: z.number().positive().optional().describe("Wall time, in seconds; the lower of this and others."),
    max_cost_usd: z.number().positive().optional().describe("Most money for one child, in USD; the lower holds."),
  })
  .describe("One agent definition. A task names it in `agent`.");

const delegation = z.strictObject({
  model: modelWish.optional().describe("What children run on, unless a task says otherwise. Left out: as the parent."),
  provider: z.string().min(1).optional().describe("The provider children run on. Brings its own endpoint and key."),
  reasoning_effort: effort.optional().describe("How hard children think, unless a task says otherwise."),
  fallbacks: fallbacks
    .default([])
    .describe("Models a child goes on with, in order, when its own fails, unless its alias declares others."),
  on_unresolved: z
    .enum(["skip", "reject", "fallback"])
    .default("skip")
    .describe(
      "When a task's route cannot be had: `skip` rejects that task and runs the others, `reject` starts nothing, " +
        "`fallback` runs it on the delegation's default, with a warning.",
    ),
  batch_defaults: z
    .enum(["inherit", "explicit"])
    .default("inherit")
    .describe("Whether the model, provider and effort written beside `tasks` are a default for each task."),
  on_served_mismatch: z
    .enum(["warn", "fail"])
    .default("warn")
    .describe("What happens when the provider reports that another model answered than was asked for."),
  allow: z
    .array(choicePattern)
    .default(["*"])
    .describe(
      "What a model that delegates may choose; it does not bind what you write yourself. A pattern over " +
        "`provider/model` or over your aliases: `anthropic/*`, `openrouter/*:free`, `alias:small`, `alias:*`; `*` stands " +
        "for anything. With `efforts`, only these.",
    ),
  deny: z
    .array(choicePattern)
    .default([])
    .describe("What a model that delegates may not choose, whatever `allow` says. With `efforts`, only these."),
  on_quota: z
    .enum(["fail", "pause"])
    .default("fail")
    .describe(
      "When a provider's quota is used up, no other key has any and no fallback is declared: `fail` ends the child, " +
        "`pause` sleeps until the time that the provider names, and goes on. Where it names none, the child fails.",
    ),
  max_concurrent_children: count.default(10).describe("Most children at work at once; further ones wait."),
  max_spawn_depth: z
    .int()
    .nonnegative()
    .default(1)
    .describe(
      "How deep models may delegate. 0: no model may. 1: a chat and MCP clients may, their children may not. 2: children " +
        "with `role: orchestrator` may too, their own children not; and so on.",
    ),
  max_tasks_per_call: count.default(1000).describe("Most tasks one call may have."),
  max_iterations: count.default(50).describe("Most model requests with tools a child may make."),
  child_timeout_seconds: seconds.default(0).describe("Wall time a child may take, in seconds from its start; 0 = any."),
  stall_seconds: seconds
    .default(300)
    .describe("Longest silence, in seconds, before a request counts as stalled; 0 = never."),
  max_cost_usd: z.number().positive().optional().describe("Most money, in USD, one delegation may spend. Empty = any."),
  allow_unknown_price: z
    .boolean()
    .default(false)
    .describe("Whether a model without a known price may run under a budget."),
  max_summary_chars: count
    .default(24_000)
    .describe("Most characters that answers have together where a model is told of them; each has at least 2,000."),
  approvals_by_model: z
    .boolean()
    .default(false)
    .describe("Whether a model that delegates may approve what its own children ask for. It may always deny."),
  toolsets: z
    .array(z.enum(TOOLSETS))
    .default([...TOOLSETS])
    .describe("The toolsets children may have; a task may ask for fewer, never for more."),
  approvals: z
    .enum(["ask", "allow", "deny"])
    .default("ask")
    .describe("What happens to a tool call that wants approval and that no rule of `permissions` decides."),
  approval_timeout_seconds: z
    .number()
    .positive()
    .default(300)
    .describe("How long a question waits for an answer, in seconds; then the call is denied."),
});

const terminal = z.strictObject({
  env: z
    .array(z.string().min(1))
    .default([])
    .describe("Variables that look like secrets and that commands get nevertheless, by name."),
  timeout_seconds: z.number().positive().default(120).describe("Longest a command may run, in seconds."),
});

const mcp = z.strictObject({
  return_after_seconds: z
    .number()
    .positive()
    .default(45)
    .describe("Longest a call over MCP takes, in seconds; then it returns what is done, and how to fetch the rest."),
});

export const configSchema = z.strictObject({
  model: modelWish
    .optional()
    .describe("The parent's model, which children inherit. Left out: the default of the one provider with a key."),
  provider: z.string().min(1).optional().describe("The parent's provider, which children inherit."),
  reasoning_effort: effort.optional().describe("How hard the parent thinks; inherited by children on the same model."),
  providers: z
    .record(z.string(), provider)
    .default({})
    .describe("Providers by name: for a built-in one only what differs, under another name an endpoint of your own."),
  models: z
    .record(z.string(), alias)
    .default({})
    .describe("Names of your own for models (aliases, tiers). `inherit` stands for what would run without it."),
  delegation: delegation.prefault({}).describe("What holds for children."),
  rules: z
    .array(rule)
    .default([])
    .describe(
      "Your routing table: the first rule that matches a task decides, over `delegation:` and under what the call or the " +
        "task says itself.",
    ),
  agents: z
    .record(z.string(), agent)
    .default({})
    .describe(
      "Agent definitions by name: a prompt with the route, tools and limits that belong to it. They go before those of the " +
        "same name in `.claude/agents/` and `.opencode/agent/`.",
    ),
  permissions: z
    .array(permission)
    .default([])
    .describe("What tool calls may do: the first rule that matches decides, else `delegation.approvals`."),
  terminal: terminal.prefault({}).describe("How commands of children run."),
  mcp: mcp.prefault({}).describe("What holds for callers over MCP."),
  extra_dirs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Directories beside its workspace that a child's file tools may reach. `~` is your home; relative ones start at the working directory.",
    ),
});

/** Whether a text can be where requests go, as far as that can be told before its variables are filled in. */
function isBaseUrl(text: string): boolean {
  if (text.startsWith("${")) return true;
  const url = URL.parse(text.replaceAll("${", "").replaceAll("}", ""));
  return (
    url !== null && /^https?:$/.test(url.protocol) && `${url.username}${url.password}${url.search}${url.hash}` === ""
  );
}

/** The configuration as read, names as in the document, defaults filled in. Keys in it do not print. */
export type Config = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof provider>;
export type ModelFactsConfig = z.output<typeof modelFacts>;
export type AliasConfig = z.output<typeof alias>;
export type ModelWishConfig = z.output<typeof modelWish>;
export type AgentConfig = z.output<typeof agent>;
export type RuleConfig = z.output<typeof rule>;
export type ChoicePattern = z.output<typeof choicePattern>;

/** One key of the document. `*` in the path stands for a name the user chooses, `[]` for each entry of a list. */
export type ConfigKey = { path: string; description: string };

/** JSON Schema of the document, for editors and for the reference in the docs. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" });
}

/** Every key a document may have, in its order. A test demands that each has an effect. */
export function configKeys(): ConfigKey[] {
  return documentKeys(configJsonSchema());
}

/** Every key that a JSON Schema tells of, in its order. */
export function documentKeys(schema: Record<string, unknown>): ConfigKey[] {
  return keysOf(schema as JsonSchema, "");
}

/** The keys that may stand in the map at `path`, or undefined where any name may. */
export function keysAllowedAt(path: readonly PropertyKey[]): string[] | undefined {
  let schemas = [configJsonSchema() as JsonSchema];
  for (const key of path)
    schemas = schemas.flatMap(alternatives).flatMap((schema) => {
      const next = schema.properties?.[String(key)] ?? schema.additionalProperties ?? schema.items;
      return typeof next === "object" ? [next] : [];
    });
  const known = schemas.flatMap(alternatives).flatMap(({ properties }) => (properties ? Object.keys(properties) : []));
  return known.length === 0 ? undefined : known;
}

type JsonSchema = {
  description?: string;
  properties?: Record<string, JsonSchema>;
  additionalProperties?: JsonSchema | boolean;
  items?: JsonSchema;
  anyOf?: JsonSchema[];
};

function alternatives(schema: JsonSchema): JsonSchema[] {
  return schema.anyOf ?? [schema];
}

function keysOf(schema: JsonSchema, path: string): ConfigKey[] {
  const { properties = {}, additionalProperties, items } = schema;
  const inner = [
    ...Object.entries(properties).flatMap(([name, value]) =>
      keyWithInner(value, path === "" ? name : `${path}.${name}`),
    ),
    ...(saysSomething(additionalProperties) ? keyWithInner(additionalProperties, `${path}.*`) : []),
    ...(items === undefined ? [] : keysOf(items, `${path}[]`)),
    ...(schema.anyOf ?? []).flatMap((alternative) => keysOf(alternative, path)),
  ];
  return inner.filter(({ path: own }, index) => inner.findIndex((other) => other.path === own) === index);
}

/** A map of anything at all has no keys to speak of. */
function saysSomething(schema: JsonSchema | boolean | undefined): schema is JsonSchema {
  return typeof schema === "object" && Object.keys(schema).length > 0;
}

function keyWithInner(schema: JsonSchema, path: string): ConfigKey[] {
  return [{ path, description: schema.description ?? "" }, ...keysOf(schema, path)];
}
