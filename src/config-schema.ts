// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the document names a variable.
/**
 * The configuration: one schema, from which files are parsed and from which the reference in the docs and the JSON
 * Schema for editors are generated. Every key has an effect; its description is what users read about it.
 */
import { z } from "zod";
import { parseBaseUrl } from "./base-url.ts";
import { DURABILITY } from "./event.ts";
import { DIRTY_STATES, ISOLATIONS } from "./isolation.ts";
import { ALL_SERVERS, SERVER_NAME, serverOf, serverToolset } from "./mcp-names.ts";
import { API_MODES, EFFORTS } from "./route.ts";
import { mayBeKey } from "./secret.ts";
import { ROLES } from "./task.ts";
import { Template, unexpandedVariable } from "./template.ts";
import { normalHost } from "./web-host.ts";

/** The toolsets a child can have, besides those of MCP servers: see `toolset`. */
export const TOOLSETS = ["file", "search", "terminal", "web", "todo"] as const;
/** The toolsets that children have by default. */
const DEFAULT_TOOLSETS = ["file", "search", "terminal", "web"] as const;

/** The search engines that `web_search` knows. */
export const SEARCH_ENGINES = ["searxng", "brave", "tavily"] as const;
export type SearchEngineName = (typeof SEARCH_ENGINES)[number];

const effort = z.enum(EFFORTS);
const usdPerMillion = z.number().nonnegative();
const count = z.int().positive();
const seconds = z.number().nonnegative();
/** Returns whether a text names a variable, and is not the key itself. */
function isVariableName(text: string): boolean {
  return /^[A-Za-z_]\w*$/.test(text) && !mayBeKey(text);
}

/** Adds an issue if a variable is written in a form that would be sent as it is. */
function checkVariables(text: string, context: z.RefinementCtx): void {
  const found = unexpandedVariable(text);
  if (found === undefined) return;
  const message = `variables as \${${found.name ?? "NAME"}}, of letters, digits and _`;
  context.addIssue({ code: "custom", message });
}
/** A string that may contain a key: kept unexpanded, see `template.ts`. */
const hiddenText = (text: z.ZodString) => text.superRefine(checkVariables).transform((each) => new Template(each));
const hidden = hiddenText(z.string().min(1));
/** A URL whose path may be a key, and whose host is written out: nothing decides where it is sent but the config. */
const hiddenUrl = hidden.refine(
  (url) => url.hasWrittenHost(),
  "an http or https URL whose host is written out; its path may be a variable",
);
const baseUrl = z
  .string()
  .superRefine((text, context) => {
    const parsed = parseBaseUrl(text.replaceAll(/\$\{\w+\}/g, "1").replaceAll(/\$\{|\}/g, ""));
    if (!text.startsWith("${") && "expected" in parsed) context.addIssue({ code: "custom", message: parsed.expected });
  })
  .superRefine(checkVariables);

const keyVariable = z.string().refine(isVariableName, "the name of a variable, such as ZAI_API_KEY");
/** A string for the shell, or a program and its arguments. */
const keyCommand = z.union([z.string().min(1), z.array(z.string().min(1)).min(1)]);

/** A model's name is sent as written, so a variable in it would reach the provider unexpanded. */
const NO_VARIABLE = "a model without variables, which are read in keys, headers and base_url alone";
const namesNoVariable = (model: unknown) => !/\$\{\w+\}/.test(JSON.stringify(model));

/** One of `TOOLSETS`, or that of an MCP server. */
const toolset = z
  .string()
  .superRefine((name, context) => {
    if (serverOf(name) !== undefined || TOOLSETS.some((each) => each === name)) return;
    context.addIssue({ code: "invalid_value", values: [...TOOLSETS, serverToolset("<server>")], input: name });
  })
  .meta({ anyOf: [{ enum: TOOLSETS }, { pattern: `^${serverToolset(".")}` }] });

const price = z
  .strictObject({
    input: usdPerMillion.describe("USD per million input tokens."),
    output: usdPerMillion.describe("USD per million output tokens, including reasoning."),
    cached_input: usdPerMillion
      .optional()
      .describe("USD per million input tokens read from the provider's cache. Default: the price of `input`."),
  })
  .describe(
    "Price of the model at this provider. Overrides the price library. Set it for custom endpoints; otherwise " +
      "their cost is unknown.",
  );

const modelFacts = z
  .strictObject({
    context_window: count
      .optional()
      .describe("Maximum tokens of prompt and answer together. Longer tasks are rejected before they are sent."),
    max_output_tokens: count.optional().describe("Maximum tokens of one answer; sent as the limit of each request."),
    price: price.optional(),
    reasoning_efforts: z
      .array(effort)
      .optional()
      .describe("Effort levels that the model accepts. Others are rejected before a request is sent. `[]`: none."),
    tools: z
      .boolean()
      .optional()
      .describe(
        "Whether the model can call tools. `false`: its children get none, and a task that names toolsets is rejected.",
      ),
    vision: z
      .boolean()
      .optional()
      .describe("Whether the model accepts images. `false`: a task with `images` is rejected."),
  })
  .describe("Facts about one model.");

const provider = z
  .strictObject({
    base_url: baseUrl
      .optional()
      .describe(
        "Base URL of the endpoint. `${NAME}` is read from the environment. Parameters after `?` are sent with every " +
          "request; a key is not allowed there. Required for a custom provider.",
      ),
    api_mode: z
      .enum([...API_MODES, "codex_responses"])
      .transform((mode) => (mode === "codex_responses" ? "responses" : mode))
      .optional()
      .describe("Wire format of the endpoint. Default: the known format of the host, otherwise the provider's own."),
    api_key: hidden
      .optional()
      .describe(
        "The API key, preferably as `${NAME}` from the environment. Deputy sends it only to this entry's endpoint.",
      ),
    api_key_env: keyVariable
      .optional()
      .describe(
        "Environment variable that contains the key. Like `api_key`, it is used only for this entry's endpoint.",
      ),
    api_keys: z
      .array(hidden)
      .optional()
      .describe(
        "More keys of the same provider. With `api_key`, they form a pool: a request takes the key with the fewest " +
          "requests in progress. A rejected, rate-limited or used-up key cools down while the others continue.",
      ),
    api_key_command: keyCommand
      .optional()
      .describe(
        "A command that prints the key as its first line: a string for `/bin/sh`, or a list of program and " +
          "arguments. It runs when a request first needs the key or a run is resumed, and again when the provider " +
          "rejects the key. Its output is never shown.",
      ),
    default_model: z
      .string()
      .min(1)
      .refine(namesNoVariable, NO_VARIABLE)
      .optional()
      .describe("Model to use when only this provider is named."),
    headers: z
      .record(z.string(), hidden.describe("The header's value."))
      .optional()
      .describe("Headers for every request to this provider. `${NAME}` is read from the environment."),
    max_concurrent: count.optional().describe("Maximum concurrent requests to this provider. Default: no limit."),
    requests_per_minute: count
      .optional()
      .describe("Maximum requests to this provider per minute, for everything that this process runs."),
    tokens_per_minute: count
      .optional()
      .describe(
        "Maximum tokens per minute at this provider, input and output together. Estimated before a request is " +
          "sent, and corrected with the provider's count afterwards.",
      ),
    models: z
      .record(z.string(), modelFacts)
      .optional()
      .describe(
        "Facts about the provider's models, by model id. Overrides everything else that Deputy knows about them.",
      ),
  })
  .describe("One provider.");

const modelObject = z.strictObject({
  model: z.string().min(1).describe("Model id, or another alias."),
  provider: z.string().min(1).optional().describe("Provider to run on. Default: the current one."),
  reasoning_effort: effort.optional().describe("Reasoning effort."),
});
const modelWish = z.union([z.string().min(1), modelObject]).refine(namesNoVariable, NO_VARIABLE);
const fallbacks = z.array(modelWish);

const alias = z
  .union([
    z.string().min(1),
    modelObject.extend({
      fallbacks: fallbacks.optional().describe("Models to continue with, in order, if this one fails."),
    }),
  ])
  .refine(namesNoVariable, NO_VARIABLE)
  .describe("A model id, another alias, `id --provider slug`, or these keys.");

const permission = z.strictObject({
  tool: z.string().min(1).describe("Name of the tool; `*` matches anything."),
  match: z
    .string()
    .min(1)
    .optional()
    .describe(
      "Command or path; `*` matches anything. A path that asks or denies matches as in .gitignore, one that allows " +
        "matches exactly. Default: every call of the tool.",
    ),
  then: z.enum(["allow", "ask", "deny"]).describe("Decision for the call."),
});

/** A choice that a delegating model may or may not make: a pattern, optionally with efforts. */
const choicePattern = z.union([
  z.string().min(1),
  z.strictObject({
    match: z.string().min(1).describe("The pattern, in the same form as without `efforts`."),
    efforts: z.array(effort).min(1).describe("Effort levels that the entry applies to."),
  }),
]);

const rule = z.strictObject({
  when: z
    .strictObject({
      tag: z.string().min(1).optional().describe("One of the task's `tags`; case is ignored."),
      toolset: toolset.optional().describe("A toolset that the child gets, by request or by default."),
      agent: z.string().min(1).optional().describe("Agent definition that the task names; case is ignored."),
      images: z.boolean().optional().describe("`true`: the task has images; `false`: it has none."),
      role: z.enum(ROLES).optional().describe("Whether the child may delegate: `orchestrator`, or `leaf`."),
    })
    .refine((when) => Object.keys(when).length > 0, "at least one of tag, toolset, agent, images, role")
    .describe("Conditions on the task; all must match."),
  use: modelWish.describe("Model to use: an alias, a model string as in a task, or a map."),
});

const agent = z
  .strictObject({
    description: z
      .string()
      .min(1)
      .optional()
      .describe("Purpose of the agent. A delegating model chooses an agent by its description."),
    prompt: z.string().min(1).describe("Instructions for the child, in addition to its task."),
    model: modelWish.optional().describe("Model to run on, unless the call or the task sets one."),
    provider: z.string().min(1).optional().describe("Provider to run on, with its own endpoint and key."),
    reasoning_effort: effort.optional().describe("Reasoning effort."),
    fallbacks: fallbacks.optional().describe("Models to continue with, in order, if the agent's own model fails."),
    toolsets: z
      .array(toolset)
      .optional()
      .describe("Toolsets the agent may have at most, out of `delegation.toolsets`. Default: all of them."),
    max_iterations: count
      .optional()
      .describe("Maximum model requests with tools. Of several limits, the lowest applies."),
    timeout_seconds: z
      .number()
      .positive()
      .optional()
      .describe("Maximum wall time in seconds. Of several limits, the lowest applies."),
    max_cost_usd: z
      .number()
      .positive()
      .optional()
      .describe("Maximum cost of one child in USD. Of several limits, the lowest applies."),
    isolation: z
      .enum(ISOLATIONS)
      .optional()
      .describe(
        "`worktree`: its children work in copies of the repository, unless the task or the call says otherwise.",
      ),
  })
  .describe("One agent definition. A task names it in `agent`.");

const compaction = z
  .strictObject({
    at: z
      .number()
      .min(0.1)
      .max(0.95)
      .default(0.8)
      .describe("Share of the context window, less the room for an answer, at which a conversation is compacted."),
    keep: z
      .number()
      .min(0.05)
      .max(0.5)
      .default(0.3)
      .describe("Share of the context window for the newest steps, which a summary leaves as they are."),
    model: z
      .string()
      .min(1)
      .refine(namesNoVariable, NO_VARIABLE)
      .default("inherit")
      .describe("Model that writes the summaries. `inherit`: each child's own. Its window must not be smaller."),
  })
  .refine(({ at, keep }) => keep < at, "a `keep` smaller than `at`");

const delegation = z.strictObject({
  model: modelWish.optional().describe("Model for children, unless a task sets one. Default: the parent's."),
  provider: z.string().min(1).optional().describe("Provider for children, with its own endpoint and key."),
  reasoning_effort: effort.optional().describe("Reasoning effort of children, unless a task sets one."),
  fallbacks: fallbacks
    .default([])
    .describe("Models for a child to continue with, in order, if its own fails, unless its alias declares others."),
  on_unresolved: z
    .enum(["skip", "reject", "fallback"])
    .default("skip")
    .describe(
      "What to do if a task's route is unavailable. `skip`: reject that task and run the others. `reject`: start " +
        "nothing. `fallback`: run it on the delegation's default, with a warning.",
    ),
  batch_defaults: z
    .enum(["inherit", "explicit"])
    .default("inherit")
    .describe("Whether the model, provider and effort next to `tasks` are defaults for each task."),
  on_served_mismatch: z
    .enum(["warn", "fail"])
    .default("warn")
    .describe("What to do if the provider reports a different model than the requested one."),
  allow: z
    .array(choicePattern)
    .default(["*"])
    .describe(
      "What a delegating model may choose. It does not restrict what you write yourself. Patterns match " +
        "`provider/model` or your aliases: `anthropic/*`, `openrouter/*:free`, `alias:small`, `alias:*`; `*` matches " +
        "anything. With `efforts`, only these efforts.",
    ),
  deny: z
    .array(choicePattern)
    .default([])
    .describe("What a delegating model may not choose, whatever `allow` says. With `efforts`, only these efforts."),
  on_quota: z
    .enum(["fail", "pause"])
    .default("fail")
    .describe(
      "What to do if a provider's quota is used up, no other key has quota and no fallback is declared. `fail`: " +
        "end the child. `pause`: sleep until the time that the provider gives, then continue. If the provider gives " +
        "none, the child fails.",
    ),
  compaction: z
    .union([z.literal(["off", false]).transform(() => "off" as const), compaction])
    .prefault({})
    .describe(
      "How a child continues when its conversation nears its model's context window: old tool results are removed, then " +
        "older steps are summarized. The child reads removed results again with `recall`. `off`: the child ends.",
    ),
  max_concurrent_children: count.default(10).describe("Maximum concurrent children; others wait."),
  max_spawn_depth: z
    .int()
    .nonnegative()
    .default(1)
    .describe(
      "How deep models may delegate. 0: no model may. 1: chats and MCP clients may, but their children may not. 2: " +
        "children with `role: orchestrator` may too, but their own children may not; and so on.",
    ),
  max_tasks_per_call: count.default(1000).describe("Maximum tasks in one call."),
  max_iterations: count.default(50).describe("Maximum model requests with tools for each child."),
  child_timeout_seconds: seconds
    .default(0)
    .describe("Maximum wall time of a child, in seconds from its start; 0 = no limit."),
  stall_seconds: seconds
    .default(300)
    .describe(
      "Time without data, in seconds, after which a request counts as stalled; 0 = never. A provider that sends signs of " +
        "life without content (comments, pings) is given four times as long.",
    ),
  max_cost_usd: z.number().positive().optional().describe("Maximum cost of one delegation in USD. Empty = no limit."),
  allow_unknown_price: z
    .boolean()
    .default(false)
    .describe("Whether a model with an unknown price may run under a budget."),
  max_summary_chars: count
    .default(24_000)
    .describe(
      "Maximum total length of answers shown to the delegating model, in characters; each gets at least 2,000.",
    ),
  approvals_by_model: z
    .boolean()
    .default(false)
    .describe("Whether a delegating model may approve requests of its own children. It may always deny them."),
  toolsets: z
    .array(toolset)
    .default([...DEFAULT_TOOLSETS, ALL_SERVERS])
    .describe(
      "Toolsets that children may have. A task can ask for fewer, never for more. `mcp:<server>`: the tools of one of " +
        "`mcp_servers`; `mcp:*`: of all.",
    ),
  isolation: z
    .enum(ISOLATIONS)
    .default("none")
    .describe(
      "Where children with file or terminal tools work, unless a task says so. `worktree`: each in a copy of the " +
        "repository, on a branch of its own. `none`: in their workspace.",
    ),
  isolation_include: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Files and folders of the repository that git does not track and each working copy gets too: `[node_modules, .env]`.",
    ),
  isolation_setup: z
    .string()
    .min(1)
    .optional()
    .describe("A command line, such as npm ci, that runs in each new working copy before the child's first request."),
  isolation_dirty: z
    .enum(DIRTY_STATES)
    .default("ignore")
    .describe(
      "Uncommitted changes of the repository. `ignore`: working copies begin with the commit. `carry`: they begin with " +
        "the changes and untracked files too, as a commit.",
    ),
  approvals: z
    .enum(["ask", "allow", "deny"])
    .default("ask")
    .describe("Decision for a tool call that needs approval and matches no rule of `permissions`."),
  approval_timeout_seconds: z
    .number()
    .positive()
    .default(300)
    .describe("How long an approval request waits for a decision, in seconds. Then the call is denied."),
});

/** @param patterns whether `*` is allowed */
function webHost(patterns: boolean) {
  return z
    .string()
    .refine(
      (text) => normalHost(text) !== undefined && (patterns || !text.includes("*")),
      `a host such as docs.example.com or 127.0.0.1:8080, without a scheme or path${patterns ? "" : ", and without *"}`,
    )
    .transform((text) => normalHost(text) ?? text);
}

/** YAML reads a bare `off` as false. */
function onOff<Mode extends z.ZodEnum>(mode: Mode) {
  return z.preprocess((written) => (written === false ? "off" : written), mode);
}

const terminal = z.strictObject({
  env: z
    .array(z.string().min(1))
    .default([])
    .describe("Names of variables that commands get although they look like secrets."),
  timeout_seconds: z.number().positive().default(120).describe("Maximum run time of a command, in seconds."),
  sandbox: onOff(z.enum(["auto", "required", "off"]))
    .default("auto")
    .describe(
      "Whether commands run in a sandbox. `auto`: where the system supports it; `deputy doctor` tries it. `required`: " +
        "without a sandbox, no task gets a terminal. `off`: commands run with your rights.",
    ),
  sandboxed: z
    .enum(["isolated", "allow", "ask"])
    .default("isolated")
    .describe(
      "Which commands in the sandbox need no approval: those of a child in a working copy of its own, all (`allow`), or " +
        "none (`ask`). Rules of `permissions` apply first.",
    ),
  read: z
    .array(
      z
        .string()
        .min(1)
        .refine((path) => !/^\/*$/.test(path), "a directory below /"),
    )
    .optional()
    .describe(
      "Paths outside the workspace that commands in the sandbox may read. `~` is your home directory; relative paths start " +
        "at the working directory. Default: toolchain folders in the home directory, such as `~/.nvm` and `~/.cargo`.",
    ),
  network: z
    .array(webHost(true))
    .default([])
    .describe(
      "Hosts that commands in the sandbox may reach: `registry.npmjs.org`, `*.example.com`, or one port, " +
        "`127.0.0.1:5432`. Any other host raises an approval request.",
    ),
});

const searchEngine = z
  .strictObject({
    engine: z.enum(SEARCH_ENGINES).describe("The search engine."),
    base_url: baseUrl
      .optional()
      .describe("Base URL of the engine. Required for `searxng`; otherwise the default is the engine's own."),
    api_key: hidden
      .optional()
      .describe("The API key, preferably as `${NAME}` from the environment. Deputy sends it only to the engine."),
    api_key_env: keyVariable.optional().describe("Environment variable that contains the key."),
    api_key_command: keyCommand
      .optional()
      .describe("A command that prints the key as its first line, like the `api_key_command` of a provider."),
  })
  .superRefine(({ engine, base_url, ...keys }, context) => {
    const given = Object.entries(keys).filter(([, key]) => key !== undefined).length;
    if (engine === "searxng" && base_url === undefined)
      context.addIssue({ code: "custom", message: "base_url, the address of your SearXNG server" });
    if (given > 1 || (given === 0 && engine !== "searxng"))
      context.addIssue({ code: "custom", message: "one of api_key, api_key_env and api_key_command" });
  })
  .describe("The engine of `web_search`. Without it, children do not have that tool.");

const web = z.strictObject({
  hosts: z
    .array(webHost(true))
    .default([])
    .describe(
      "Hosts whose pages children may read without approval: `docs.example.com`, `*.example.com`, or one port of a " +
        "host, `example.com:8080`. Hosts that you name in a task need no approval either.",
    ),
  private_hosts: z
    .array(webHost(false))
    .default([])
    .describe(
      "Hosts that children may read although their address is private, such as `127.0.0.1:3000` or `wiki.internal`. " +
        "All other private, loopback, link-local and metadata addresses are refused.",
    ),
  search: searchEngine.optional(),
});

/** Other users of this machine can read the arguments of a process. */
const NO_SECRET_IN_ARGS = "arguments without variables: other programs can read them. Put what is secret into `env`";

const mcpServer = z
  .strictObject({
    command: z
      .string()
      .min(1)
      .refine(namesNoVariable, NO_SECRET_IN_ARGS)
      .optional()
      .describe("Program of a server over standard input and output. It gets the environment of commands, and `env`."),
    args: z.array(z.string().refine(namesNoVariable, NO_SECRET_IN_ARGS)).optional().describe("Arguments of `command`."),
    env: z
      .record(
        z.string().regex(/^[^=\0]+$/, "the name of a variable"),
        hiddenText(z.string()).describe("The variable's value."),
      )
      .optional()
      .describe("Variables for `command`. `${NAME}` is read from Deputy's environment; no other process gets it."),
    cwd: z
      .string()
      .min(1)
      .optional()
      .describe(
        "Directory of `command`. `~` is your home directory; a relative path starts at the working directory or, with " +
          "`per: child`, at the child's workspace. Default: that directory.",
      ),
    url: hiddenUrl
      .optional()
      .describe(
        "URL of a server over streamable HTTP, instead of `command`. `${NAME}` in its path is read from the environment.",
      ),
    headers: z
      .record(z.string(), hidden.describe("The header's value."))
      .optional()
      .describe(
        "Headers for every request to `url`. `${NAME}` is read from the environment. They go to no other origin.",
      ),
    tools: z
      .array(z.string().min(1))
      .default(["*"])
      .describe("Names of the server's tools that children get; `*` matches anything."),
    read_only: z
      .array(z.string().min(1))
      .default([])
      .describe(
        "Names of tools that change nothing. Only these run concurrently, and again if Deputy was interrupted while they ran.",
      ),
    per: z
      .enum(["process", "child"])
      .default("process")
      .describe(
        "`process`: all children share the server. `child`: each has its own, in its workspace, until it ends.",
      ),
    timeout_seconds: z.number().positive().default(120).describe("Maximum duration of a call, in seconds."),
    start_timeout_seconds: z
      .number()
      .positive()
      .default(60)
      .describe(
        "Maximum time to start and to list the tools, in seconds. The first start of a package may download it.",
      ),
  })
  .superRefine((server, context) => {
    const isProgram = server.command !== undefined;
    const strange = isProgram ? (["url", "headers"] as const) : (["args", "env", "cwd"] as const);
    if (isProgram === (server.url !== undefined))
      context.addIssue({ code: "custom", message: "either `command`, for a program, or `url`" });
    else
      for (const key of strange)
        if (server[key] !== undefined)
          context.addIssue({
            code: "custom",
            path: [key],
            message: `nothing: it has no effect with \`${isProgram ? "command" : "url"}\``,
          });
  })
  .describe(
    "One server. Its tools form the toolset `mcp:<name>`; for models and rules, they are `mcp__<name>__<tool>`.",
  );

/** Events that are stored; the others are fragments of what a stored one contains whole. */
const storedKind = z.enum(
  Object.entries(DURABILITY)
    .filter(([, durability]) => durability !== "live")
    .map(([kind]) => kind),
);

const hook = z
  .strictObject({
    on: z.union([storedKind, z.array(storedKind).min(1)]).describe("The kind of event, or a list of kinds."),
    status: z
      .array(z.enum(["completed", "incomplete", "failed", "timeout", "interrupted"]))
      .min(1)
      .optional()
      .describe("Run the command only for the ends of children with one of these statuses. Default: for all."),
    command: z.string().min(1).describe("The command line. It receives the event as JSON on standard input."),
    timeout_seconds: z.number().positive().default(30).describe("Maximum run time of the command, in seconds."),
  })
  .refine(({ on, status }) => status === undefined || [on].flat().every((kind) => kind === "child-end"), {
    path: ["status"],
    message: "`on: child-end` with it: other events have no status",
  })
  .describe("One command and the events that it runs at.");

const webhook = z
  .strictObject({
    url: hiddenUrl.describe("URL that receives the requests. `${NAME}` in its path is read from the environment."),
    headers: z
      .record(z.string(), hidden.describe("The header's value."))
      .default({})
      .describe("Headers of the requests. `${NAME}` is read from the environment. They are sent to no other origin."),
    secret: hidden
      .optional()
      .describe(
        "Secret that signs the requests, as `whsec_…` in Base64, preferably as `${NAME}` from the environment.",
      ),
  })
  .describe(
    "A POST of JSON at each approval request and at the end of each run. The response can deny the request; it can " +
      "never approve it.",
  );

const notify = z.strictObject({
  bell: z
    .boolean()
    .default(true)
    .describe(
      "Whether a terminal's bell rings, with a desktop notification where the terminal supports it (OSC 9), at an " +
        "approval request and at the end of a long run.",
    ),
  after_seconds: seconds
    .default(20)
    .describe("Duration in seconds from which a run counts as long; its end is then announced."),
  command: z
    .string()
    .min(1)
    .optional()
    .describe(
      "A command line, such as `notify-send`, that gets a title and a text as its last two arguments at an approval " +
        "request and at the end of a long run.",
    ),
  webhook: webhook.optional(),
});

const mcp = z.strictObject({
  share: z
    .enum(["own", "all"])
    .default("own")
    .describe(
      "Which runs the model of an MCP client sees and steers. `own`: those begun over MCP in the same workspace by a " +
        "client of the same name, in any session. `all`: every run of this user.",
    ),
  return_after_seconds: z
    .number()
    .positive()
    .default(45)
    .describe(
      "Maximum duration of an MCP call, in seconds. Then it returns what is finished and how to fetch the rest.",
    ),
});

export const configSchema = z.strictObject({
  model: modelWish
    .optional()
    .describe("The parent's model, which children inherit. Default: the default model of the one provider with a key."),
  provider: z.string().min(1).optional().describe("The parent's provider, which children inherit."),
  reasoning_effort: effort
    .optional()
    .describe("The parent's reasoning effort, which children on the same model inherit."),
  providers: z
    .record(z.string(), provider)
    .default({})
    .describe(
      "Providers by name. For a built-in provider, set only what differs; any other name defines a custom endpoint.",
    ),
  models: z
    .record(z.string(), alias)
    .default({})
    .describe("Model aliases, such as tiers. `inherit` means the model that would run without it."),
  delegation: delegation.prefault({}).describe("Settings for children."),
  rules: z
    .array(rule)
    .default([])
    .describe(
      "Your routing table: the first rule that matches a task decides. Rules override `delegation:`; the call and " +
        "the task override rules.",
    ),
  agents: z
    .record(z.string(), agent)
    .default({})
    .describe(
      "Agent definitions by name: a prompt with its route, tools and limits. They override those of the same name " +
        "in `.claude/agents/` and `.opencode/agent/`.",
    ),
  permissions: z
    .array(permission)
    .default([])
    .describe("What tool calls may do: the first matching rule decides, otherwise `delegation.approvals`."),
  terminal: terminal.prefault({}).describe("Settings for the commands of children."),
  web: web.prefault({}).describe("Which pages children may read, and the engine they search with."),
  mcp_servers: z
    .record(z.string().regex(SERVER_NAME, "letters and digits, joined by single - or _, at most 32"), mcpServer)
    .default({})
    .describe(
      "MCP servers whose tools children can use, by name. A call needs approval unless a rule of `permissions` allows it.",
    ),
  mcp: mcp.prefault({}).describe("Settings for MCP clients."),
  notify: notify.prefault({}).describe("How you are told that Deputy needs you, or is done."),
  hooks: z
    .array(hook)
    .default([])
    .describe("Commands that run when events happen, in the run's directory and without any key."),
  extra_dirs: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Directories outside the workspace that a child's file tools may also reach. `~` is your home directory; " +
        "relative paths start at the working directory.",
    ),
});

/** Returns whether a text can be a base URL, as far as this is known before its variables are expanded. */
/** The parsed configuration: names as in the document, defaults filled in. Keys in it do not print. */
export type Config = z.output<typeof configSchema>;
export type ProviderConfig = z.output<typeof provider>;
export type ModelFactsConfig = z.output<typeof modelFacts>;
export type AliasConfig = z.output<typeof alias>;
export type ModelWishConfig = z.output<typeof modelWish>;
export type AgentConfig = z.output<typeof agent>;
export type HookConfig = z.output<typeof hook>;
export type McpServerConfig = z.output<typeof mcpServer>;
export type WebhookConfig = z.output<typeof webhook>;
export type SearchConfig = z.output<typeof searchEngine>;
export type RuleConfig = z.output<typeof rule>;
export type ChoicePattern = z.output<typeof choicePattern>;

/** The routing fields of the top level and of `delegation:`, one entry per config layer. */
export type RouteLevels = Record<"parent" | "delegation", readonly RouteFields[]>;

export type RouteFields = Pick<Config, "model" | "provider" | "reasoning_effort">;

/** One key of the document. In the path, `*` is a name the user chooses and `[]` an entry of a list. */
export type ConfigKey = { path: string; description: string };

/** JSON Schema of the document, for editors and for the reference in the docs. */
export function configJsonSchema(): Record<string, unknown> {
  return z.toJSONSchema(configSchema, { io: "input" });
}

/** Every key of the document, in order. A test checks that each has an effect. */
export function configKeys(): ConfigKey[] {
  return documentKeys(configJsonSchema());
}

/** Every key that a JSON Schema describes, in order. */
export function documentKeys(schema: Record<string, unknown>): ConfigKey[] {
  return keysOf(schema as JsonSchema, "");
}

/** The keys allowed in the map at `path`, or undefined where any name is allowed. */
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

/** False for a schema that accepts anything: it has no keys to list. */
function saysSomething(schema: JsonSchema | boolean | undefined): schema is JsonSchema {
  return typeof schema === "object" && Object.keys(schema).length > 0;
}

function keyWithInner(schema: JsonSchema, path: string): ConfigKey[] {
  return [{ path, description: schema.description ?? "" }, ...keysOf(schema, path)];
}
