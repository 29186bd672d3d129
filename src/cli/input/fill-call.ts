/** `--set` and `--items`: fills the placeholders of a call, and makes one task of each row. */
import { DeputyError, type Warning } from "../../errors.ts";
import type { Call, Task } from "../../task.ts";
import { type Declared, fillPlaceholders, isPlaceholderName } from "../../text/placeholders.ts";
import { present } from "../../values/present.ts";
import { type ItemRow, itemValue } from "./items-file.ts";

/** Names that rows declare. */
const ITEM = "item";
const INDEX = "index";

export type FilledCall = { call: Call; warnings: Warning[] };

type FillOptions = {
  /** Values of `--set`, as written: `name=value`. */
  sets: readonly string[];
  items?: readonly ItemRow[];
  /** The highest number of tasks in one call. */
  maxTasks: number;
};

/** @throws DeputyError `usage` | `input-unreadable` with the row | `task-invalid` */
export function fillCall(call: Call, { sets, items, maxTasks }: FillOptions): FilledCall {
  const named = namedValues(sets, items !== undefined);
  const filling = createFilling(named);
  if (items === undefined) {
    const { context } = call;
    const filled = {
      ...call,
      ...present({ context: context && filling.fill(context, named) }),
      tasks: call.tasks.map((task) => filling.fillTask(task, named)),
    };
    return { call: filled, warnings: filling.warnings() };
  }
  const [task] = call.tasks;
  if (task === undefined || call.tasks.length > 1)
    throw usage(`--items runs the file's one task once per row; found ${call.tasks.length} tasks.`);
  if (items.length > maxTasks)
    throw usage(
      `--items: expected at most ${maxTasks} rows; found ${items.length}. Split the file, or raise delegation.max_tasks_per_call.`,
    );
  const { context, ...rest } = call;
  const isShared = context === undefined || !mayNameRow(context);
  const tasks = items.map((item, at) => {
    const declared = new Map([...named, [ITEM, itemValue(item)], [INDEX, () => String(at + 1)]]);
    const both = [isShared ? undefined : context, task.context].filter((text) => text !== undefined).join("\n\n");
    return filling.fillTask({ ...task, ...(both !== "" && { context: both }) }, declared, item.place);
  });
  const shared = present({ context: isShared && context ? filling.fill(context, named) : undefined });
  const warnings = filling.warnings();
  if (!filling.hasUsed(ITEM) && !filling.hasUsed(INDEX)) warnings.push(sameForEachRow());
  return { call: { ...rest, ...shared, tasks }, warnings };
}

/** The context next to `tasks` is one for all of them, unless it names the row. */
function mayNameRow(context: string): boolean {
  const names = new Map([ITEM, INDEX].map((name) => [name, () => ""]));
  return fillPlaceholders(context, names).used.size > 0;
}

/** @throws DeputyError `usage` */
function namedValues(sets: readonly string[], hasItems: boolean): Map<string, () => string> {
  const values = new Map<string, () => string>();
  for (const written of sets) {
    const at = written.indexOf("=");
    const name = written.slice(0, Math.max(0, at)).trim();
    if (!isPlaceholderName(name)) throw usage(`--set: expected name=value; found ${written}.`);
    if (values.has(name)) throw usage(`--set: expected each name once; found ${name} again.`);
    if (hasItems && [ITEM, INDEX].includes(name))
      throw usage(`--set: expected another name than ${name}, which --items declares.`);
    values.set(name, () => written.slice(at + 1));
  }
  return values;
}

function createFilling(named: Declared) {
  const used = new Set<string>();
  const misses = new Map<string, string>();

  function fill(text: string, declared: Declared): string {
    const filled = fillPlaceholders(text, declared);
    for (const name of filled.used) used.add(name);
    for (const { written, meant } of filled.nearMisses) misses.set(written, meant);
    return filled.text;
  }

  function fillTask(task: Task, declared: Declared, place?: string): Task {
    const { goal, context } = task;
    const filled = {
      ...task,
      goal: fill(goal, declared),
      ...present({ context: context === undefined ? undefined : fill(context, declared) }),
    };
    if (filled.goal.trim() !== "") return filled;
    const where = place === undefined ? "" : `${place}: `;
    throw new DeputyError("task-invalid", `${where}Expected a goal; found nothing after its placeholders were filled.`);
  }

  function warnings(): Warning[] {
    const unread = [...misses].map(
      ([written, meant]) => `${written} is text, not a placeholder. Did you mean ${meant}?`,
    );
    const unused = [...named.keys()].filter((name) => !used.has(name));
    const idle = unused.map((name) => `--set ${name} has no effect: no goal or context contains {{${name}}}.`);
    return [...unread, ...idle].map((message) => ({ code: "placeholder-unfilled", message }));
  }

  return { fill, fillTask, warnings, hasUsed: (name: string) => used.has(name) };
}

function sameForEachRow(): Warning {
  const message =
    "Every row of --items gets the same task: no goal or context contains {{item}}. A row's field is {{item.name}}.";
  return { code: "placeholder-unfilled", message };
}

function usage(message: string): DeputyError {
  return new DeputyError("usage", message);
}
