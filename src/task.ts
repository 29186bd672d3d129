/**
 * The arguments of a call: one schema, with which every surface parses and from which the JSON Schema of
 * `delegate_task` is generated. Field names are the names users and models see. Models read the descriptions, so they
 * are part of the product.
 */
import { z } from "zod";
import { DeputyError } from "./errors.ts";
import { MAX_FILES } from "./given-file.ts";
import { MAX_IMAGES } from "./image.ts";
import { ISOLATIONS } from "./isolation.ts";
import { EFFORTS } from "./route.ts";
import { mayBeKey, withoutKeyLikes } from "./secret.ts";
import type { Call, Task } from "./task-fields.ts";
import { suggest, unknownField } from "./text/did-you-mean.ts";
import { unquoted } from "./text/json-in-text.ts";
import { pathText, valueAt } from "./values/key-path.ts";
import { plainValue } from "./values/plain-value.ts";
import { quantityIn } from "./values/quantity.ts";
import { fieldsOf, isRecord } from "./values/record.ts";
import { withoutNullKeywords } from "./values/schema-nulls.ts";

const effort = z.enum(EFFORTS);
/** A name, for example of a model: a key in its place would be stored and shown with the task. */
const name = z.string().refine((text) => !mayBeKey(text), "Expected a name that cannot be a key");

/** Whether a child may delegate. */
export const ROLES = ["leaf", "orchestrator"] as const;

const modelObject = z.strictObject({
  model: name,
  provider: name.optional(),
  reasoning_effort: effort.optional(),
});
const modelWish = z.union([name, modelObject]);

/** Fields that a task may have and, as a default for all tasks, a call. */
const sharedShape = {
  context: z.string().optional().describe("Background. With `tasks`, all tasks share it."),
  model: modelWish
    .optional()
    .describe(
      "A bare id (`glm-5.1`), an alias (`small`), a family (`haiku`: its newest version) or `x --provider y`. " +
        "MODEL-ONLY: without a provider, the current provider and its credentials are kept. DO NOT write " +
        "`provider:model`: a colon marks a variant (`:free`, `:thinking`); use the `provider` field.",
    ),
  provider: name
    .optional()
    .describe(
      "Slug (`openrouter`). PROVIDER OVERRIDE: endpoint, key and API mode come from this provider; the previous ones " +
        "are discarded. Without `model`, its default model runs.",
    ),
  reasoning_effort: effort.optional().describe("Also `effort` or `thinking`."),
  toolsets: z.array(name).optional().describe("Subset of yours: file, search, terminal, web, mcp:<server>."),
  max_iterations: z.int().positive().optional().describe("Maximum requests."),
  timeout_seconds: z.number().positive().optional().describe("Maximum wall time."),
  max_cost_usd: z.number().positive().optional().describe("Maximum cost; next to `tasks`, of all."),
  isolation: z.enum(ISOLATIONS).optional().describe("`worktree`: a copy and branch for the child."),
  base: name.min(1).optional().describe("Ref to branch from."),
};

/** Task-only fields. */
const taskOnlyShape = {
  goal: z.string().describe("Self-contained instruction. The child sees only this, `context` and its workspace."),
  output_schema: z.record(z.string(), z.unknown()).optional().describe("JSON Schema of the answer."),
  tags: z.array(name.min(1)).optional().describe("Words for the user's routing rules."),
  agent: name.optional().describe("Agent definition."),
  images: z.array(z.string()).max(MAX_IMAGES).optional().describe(`Up to ${MAX_IMAGES} paths or URLs.`),
  files: z.array(z.string()).max(MAX_FILES).optional().describe("Text files for the child."),
  workspace: z.string().optional().describe("Working directory."),
  role: z.enum(ROLES).optional().describe("`orchestrator` may delegate."),
};

const taskSchema = z.strictObject({ ...taskOnlyShape, ...sharedShape }) satisfies z.ZodType<Task, Task>;
const batchSchema = z.strictObject({
  ...sharedShape,
  tasks: z.array(taskSchema).min(1).describe("One child per task; fields as above."),
}) satisfies z.ZodType<Call, Call>;

export type { Call, Task };
/** Accepted input: a call, a bare list of tasks, or one task. */
export type CallInput = Call | Task | Task[];

export const TASK_FIELDS = Object.keys(taskSchema.shape);
export const CALL_FIELDS = Object.keys(batchSchema.shape);

/** Field names of other tools, each with its name here. */
export const OTHER_NAMES: Record<string, string> = { effort: "reasoning_effort", thinking: "reasoning_effort" };

/**
 * Field names of other tools that are not accepted, because their values may differ: a budget may be tokens, a timeout
 * milliseconds, tools are no toolsets. An error points to the field here.
 */
const MEANT: Readonly<Record<string, string>> = {
  prompt: "goal",
  description: "goal",
  instructions: "goal",
  message: "goal",
  cwd: "workspace",
  directory: "workspace",
  max_turns: "max_iterations",
  max_steps: "max_iterations",
  budget: "max_cost_usd",
  max_budget_usd: "max_cost_usd",
  tools: "toolsets",
  allowed_tools: "toolsets",
  schema: "output_schema",
  response_format: "output_schema",
  timeout: "timeout_seconds",
  subagent_type: "agent",
  worktree: "isolation",
  ref: "base",
  base_ref: "base",
};

/** Lists of words, of which none contains a comma. */
const WORD_LISTS = ["tags", "toolsets"];

const SCHEMAS: Readonly<Record<string, z.ZodType>> = { ...batchSchema.shape, ...taskSchema.shape };

/** What a field holds, where that is not a plain value: a list, an object, or a text in place of an object. */
function formOf(field: string): "list" | "object" | "either" | undefined {
  const written = SCHEMAS[field];
  const schema = written instanceof z.ZodOptional ? written.unwrap() : written;
  if (schema instanceof z.ZodArray) return "list";
  if (schema instanceof z.ZodUnion) return "either";
  return schema instanceof z.ZodRecord || schema instanceof z.ZodObject ? "object" : undefined;
}

/** One error in a call, with its place. */
export type TaskError = { path: string; message: string };

/** Bounds that only the parser checks: some providers reject these keywords in a tool, and each costs tokens. */
const PARSER_ONLY = ["propertyNames", "exclusiveMinimum", "maximum", "minLength", "minItems", "maxItems"] as const;

/**
 * JSON Schema of the arguments of `delegate_task`, for tool listings and editors. Every turn of every client pays for
 * it: a field is described once, next to `tasks`, and appears inside a task with its type only.
 */
export function delegateTaskJsonSchema(): Record<string, unknown> {
  const { properties = {} } = z.toJSONSchema(
    z.object({ ...taskSchema.partial().shape, tasks: batchSchema.shape.tasks }),
    {
      io: "input",
      override: ({ zodSchema, jsonSchema }) => {
        for (const keyword of PARSER_ONLY) delete jsonSchema[keyword];
        if (zodSchema === modelObject) delete jsonSchema.properties;
        if (zodSchema === modelObject || zodSchema instanceof z.ZodRecord) delete jsonSchema.additionalProperties;
      },
    },
  );
  const { tasks, ...fields } = properties;
  const types = Object.entries(fields).map(([name, field]) => [name, typeOnly(fieldsOf(field))]);
  const task = {
    type: "object",
    properties: Object.fromEntries(types),
    required: ["goal"],
    additionalProperties: false,
  };
  return {
    type: "object",
    properties: { ...fields, tasks: { ...fieldsOf(tasks), items: task } },
    additionalProperties: false,
  };
}

/** JSON Schema of a task file: a call, one task, or a list of tasks, each of which may be a goal alone. */
export function taskFileJsonSchema(): Record<string, unknown> {
  const options = { io: "input" } as const;
  const { $schema, ...task } = z.toJSONSchema(taskSchema, options);
  const { $schema: _, ...call } = z.toJSONSchema(batchSchema, options);
  const { tasks, ...shared } = fieldsOf(call.properties);
  const list = { ...fieldsOf(tasks), items: { anyOf: [{ $ref: "#/$defs/task" }, { type: "string" }] } };
  return {
    $schema,
    title: "Deputy task file",
    anyOf: [
      { $ref: "#/$defs/task" },
      { ...call, properties: { ...asWritten(shared), tasks: list } },
      { type: "array", minItems: 1, items: list.items },
    ],
    $defs: { task: { ...task, properties: asWritten(fieldsOf(task.properties)) } },
  };
}

/** Fields with the spellings that people use: other names, a word for a list of one, an amount with its unit. */
function asWritten(fields: Record<string, unknown>): Record<string, unknown> {
  const names = Object.entries(OTHER_NAMES).map(([other, name]) => [other, fields[name]]);
  const entries = Object.entries(fields).map(([name, field]) => {
    const { description, ...schema } = fieldsOf(field);
    const mayBeText = schema.type === "array" || /_(seconds|usd)$/.test(name);
    return [name, mayBeText ? { description, anyOf: [schema, { type: "string" }] } : field];
  });
  return Object.fromEntries([...entries, ...names]);
}

function typeOnly({ description: _, enum: __, ...type }: Record<string, unknown>): Record<string, unknown> {
  return type;
}

/**
 * Parses a call from a surface's input. Blank values mean absent; nothing unknown is dropped.
 * @param maxTasks maximum tasks in one call (`delegation.max_tasks_per_call`)
 * @throws DeputyError `task-invalid` naming every error: task index, field, expected, found, nearest valid
 */
export function parseCall(input: unknown, maxTasks: number): Call {
  const errors: TaskError[] = [];
  const call = readCall(input, maxTasks, errors);
  if (call === undefined || errors.length > 0) throw invalid(errors);
  return call;
}

/** A place in a call as users read it, numbered like children: `task 4, model.provider` is `tasks[3].model.provider`. */
export function placeInCall(path: string): string {
  const [, index, field] = /^tasks\[(\d+)\]\.?(.*)$/s.exec(path) ?? [];
  if (index === undefined) return path;
  return `task ${Number(index) + 1}${field === "" ? "" : `, ${field}`}`;
}

function invalid(errors: TaskError[]): DeputyError {
  const shown = errors
    .slice(0, 20)
    .map(({ path, message }) => (path === "" ? message : `${placeInCall(path)}: ${message}`));
  if (errors.length > shown.length) shown.push(`… and ${errors.length - shown.length} more errors`);
  return new DeputyError("task-invalid", shown.join("\n"), { details: errors });
}

function readCall(input: unknown, maxTasks: number, errors: TaskError[]): Call | undefined {
  if (Array.isArray(input)) return readCall({ tasks: input }, maxTasks, errors);
  const meant = typeof input === "string" ? jsonIn(input, "", errors) : input;
  if (meant === undefined && errors.length > 0) return undefined;
  if (typeof meant !== typeof input) return readCall(meant, maxTasks, errors);
  if (!isRecord(input)) {
    errors.push({
      path: "",
      message: `Expected a task, a list of tasks or a call with tasks; found ${shown(input)}.`,
    });
    return undefined;
  }
  if (isBlank(input.tasks)) {
    const task = readOnlyTask(input, errors);
    return task && { tasks: [task] };
  }
  return readBatch(input, maxTasks, errors);
}

function readBatch(input: Record<string, unknown>, maxTasks: number, errors: TaskError[]): Call | undefined {
  const list = readTaskList(input.tasks, errors);
  if (list === undefined) return undefined;
  const tasks = list.flatMap((task, index) => (task === null ? [] : [{ task, path: `tasks[${index}]` }]));
  if (tasks.length === 0) {
    errors.push({ path: "tasks", message: "Expected at least one task; found an empty list." });
    return undefined;
  }
  if (tasks.length > maxTasks) {
    errors.push({
      path: "tasks",
      message:
        `Expected at most ${maxTasks} tasks in one call; found ${tasks.length}. ` +
        "Split the call, or raise delegation.max_tasks_per_call.",
    });
    return undefined;
  }
  const { tasks: _, ...rest } = input;
  const shared = normalise(rest, "", CALL_FIELDS, errors);
  const read = tasks.map(({ task, path }) => readTask(task, path, errors));
  return check(z.strictObject(sharedShape), shared, "", errors, (value) => ({
    ...value,
    tasks: read.filter((task) => task !== undefined),
  }));
}

function readTaskList(value: unknown, errors: TaskError[]): unknown[] | undefined {
  const list = typeof value === "string" ? jsonIn(value, "tasks", errors) : value;
  const entries = entriesOf(list);
  if (Array.isArray(entries)) return entries;
  if (isRecord(entries)) return [entries];
  if (list !== undefined) errors.push({ path: "tasks", message: `Expected a list of tasks; found ${shown(value)}.` });
  return undefined;
}

/** A call without `tasks`: its fields are the task's. */
function readOnlyTask(input: Record<string, unknown>, errors: TaskError[]): Task | undefined {
  const fields = normalise(input, "", [...TASK_FIELDS, "tasks"], errors);
  if (fields.goal !== undefined) return check(taskSchema, fields, "", errors, (task) => task);
  errors.push({ path: "", message: "Expected `goal`, for one task, or `tasks`, a list of tasks; found neither." });
  return check(taskSchema.partial(), fields, "", errors, () => undefined);
}

function readTask(input: unknown, path: string, errors: TaskError[]): Task | undefined {
  const meant =
    typeof input === "string" && /^[\s"\\]*\{\s*\\*["\u201c]/.test(input) ? jsonIn(input, path, errors) : input;
  if (meant === undefined && input !== undefined) return undefined; // The error is told.
  const record = typeof meant === "string" ? { goal: meant } : meant;
  if (!isRecord(record)) {
    errors.push({ path, message: `Expected a task with a goal; found ${shown(input)}.` });
    return undefined;
  }
  return check(taskSchema, normalise(record, path, TASK_FIELDS, errors), path, errors, (task) => task);
}

/** Normalizes fields: other names, blanks, a bare string for a list; reports unknown fields. */
function normalise(
  record: Record<string, unknown>,
  path: string,
  fields: string[],
  errors: TaskError[],
): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [written, value] of Object.entries(record)) {
    if (isBlank(value)) continue;
    const field = OTHER_NAMES[written] ?? written;
    if (!fields.includes(field)) {
      const shownName = withoutKeyLikes(written);
      errors.push({ path: pathText([shownName], path), message: misplacedField(shownName, fields, value) });
    } else if (field in clean && clean[field] !== value) {
      errors.push({
        path: pathText([written], path),
        message: `The same value is given twice, as ${field} and ${written}.`,
      });
    } else {
      const read = readValue(field, value, pathText([written], path), errors);
      if (read !== undefined) clean[field] = read;
    }
  }
  return clean;
}

/** A field's value in its form; undefined where nothing is left of it, or it is no JSON. */
function readValue(field: string, value: unknown, path: string, errors: TaskError[]): unknown {
  if (field === "reasoning_effort" && typeof value === "string") return value.trim().toLowerCase();
  const form = formOf(field);
  if (form === undefined)
    return (typeof value === "string" ? quantityIn(field, value) : undefined) ?? plainValue(SCHEMAS[field], value);
  if (form === "list") {
    const list = listIn(value, path, errors);
    return WORD_LISTS.includes(field) && Array.isArray(list) ? list.flatMap(wordsIn) : list;
  }
  const meant = typeof value === "string" ? jsonIn(value, path, errors) : value;
  if (!isRecord(meant)) return meant;
  return form === "either" ? withoutBlanks(meant) : withoutNullKeywords(meant);
}

/** A list, in which no entry is blank and none is JSON text of a list; a bare word is a list of one. */
function listIn(value: unknown, path: string, errors: TaskError[]): unknown {
  const meant = entriesOf(typeof value === "string" ? jsonIn(value, path, errors) : value);
  if (typeof meant === "string") return [meant];
  if (!Array.isArray(meant) || meant.length === 0) return meant;
  const entries = meant.filter((entry) => !isBlank(entry));
  if (entries.length === 0) return undefined;
  return entries.flatMap((entry) => (typeof entry === "string" ? listIn(entry, path, errors) : [entry]));
}

/** The entries of a list, also of one written as an object: `{"0": …, "1": …}`. */
function entriesOf(value: unknown): unknown {
  if (!isRecord(value)) return value;
  const keys = Object.keys(value);
  return keys.length > 0 && keys.every((key) => /^(0|[1-9]\d{0,8})$/.test(key)) ? Object.values(value) : value;
}

function wordsIn(entry: unknown): unknown[] {
  if (typeof entry !== "string") return [entry];
  return entry
    .split(/[,\n]/)
    .map((word) => word.trim())
    .filter((word) => word !== "");
}

function withoutBlanks(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const entries = Object.entries(fields).filter(([, value]) => !isBlank(value));
  return entries.length === 0 && Object.keys(fields).length > 0 ? undefined : Object.fromEntries(entries);
}

/** What a text stands for; undefined, with an error, where it begins like JSON and is none. */
function jsonIn(text: string, path: string, errors: TaskError[]): unknown {
  try {
    return unquoted(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    errors.push({
      path,
      message: `Expected valid JSON, because the text begins like JSON; found ${shown(text)}: ${reason}.`,
    });
    return undefined;
  }
}

function misplacedField(written: string, fields: string[], value: unknown): string {
  if (written === "goal") return "`goal` cannot be next to `tasks`. Make it a separate task, or use `context`.";
  if (written === "background")
    return `Expected true or false, and only over MCP: elsewhere a call waits for its results. Found ${shown(value)}.`;
  if (written === "tasks") return "A task cannot contain `tasks`. Put them all into one list.";
  if (TASK_FIELDS.includes(written)) return `\`${written}\` belongs to a single task: move it into tasks[].`;
  // No other field holds a list of objects.
  if (fields.includes("tasks") && Array.isArray(value) && value.some(isRecord))
    return `Unknown field \`${written}\`. Did you mean \`tasks\`?`;
  if (written === "id")
    return "Unknown field `id`. Tasks are numbered in order, from 1: task 2 of run ID is ID.2. Tell them apart by `tags`.";
  const meant = Object.hasOwn(MEANT, written) ? MEANT[written] : undefined;
  if (meant !== undefined && TASK_FIELDS.includes(meant))
    return `Unknown field \`${written}\`. Did you mean \`${meant}\`${fields.includes(meant) ? "" : ", in tasks[]"}?`;
  return unknownField(written, [...fields, ...Object.keys(OTHER_NAMES)]);
}

function check<Shape extends z.ZodRawShape, Output>(
  schema: z.ZodObject<Shape>,
  record: Record<string, unknown>,
  path: string,
  errors: TaskError[],
  done: (value: z.infer<z.ZodObject<Shape>>) => Output,
): Output | undefined {
  const known = Object.fromEntries(Object.entries(record).filter(([field]) => field in schema.shape));
  const parsed = schema.safeParse(known);
  if (parsed.success) return done(parsed.data);
  for (const issue of parsed.error.issues.flatMap((issue) => withinObject(issue, valueAt(known, issue.path)))) {
    errors.push({ path: pathText(issue.path, path), message: expectation(issue, valueAt(known, issue.path)) });
  }
  return undefined;
}

/** For an object where text is also allowed, returns the errors of the object. */
function withinObject(issue: z.core.$ZodIssue, found: unknown): z.core.$ZodIssue[] {
  if (issue.code !== "invalid_union" || !isRecord(found)) return [issue];
  const ofObject = issue.errors.find(
    (inner) => !inner.some(({ path, code }) => path.length === 0 && code === "invalid_type"),
  );
  return ofObject?.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue];
}

function expectation(issue: z.core.$ZodIssue, found: unknown): string {
  if (found === undefined) return "Required but missing.";
  if (issue.code === "invalid_value") {
    const valid = issue.values.map(String);
    const [close] = suggest(String(found), valid, 1);
    const hint = close === undefined ? "" : ` Did you mean ${close}?`;
    return `Expected one of ${valid.join(", ")}; found ${shown(found)}.${hint}`;
  }
  if (issue.code === "invalid_union") return `Expected a model name or {model, provider}; found ${shown(found)}.`;
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownField(key, Object.keys(modelObject.shape))).join(" ");
  }
  return `${issue.message.replace(/^Invalid input: e/, "E")}; found ${shown(found)}.`;
}

/** A value for an error message: its kind and, if short, itself. */
function shown(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  const text = withoutKeyLikes(JSON.stringify(value) ?? String(value));
  return text.length <= 60 ? text : `${text.slice(0, 57)}… (${text.length.toLocaleString("en")} characters)`;
}

function isBlank(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === "string" && value.trim() === "");
}
