/** Finds where a test waits for real time, from its syntax tree. */
import { type Argument, parseSync, Visitor } from "oxc-parser";
import { nameOf, type SourceFile } from "./source-facts.ts";

type Call = { start: number; callee: Argument; args: Argument[] };

/**
 * Finds the sleeps of a file that are longer than `maxMs`: `path:line sleeps 300 ms`. A sleep is `setTimeout` of
 * `node:timers/promises`, `setTimeout` that resolves the promise around it, and `systemClock.sleep`. A timer with
 * another purpose is a deadline. Lengths that are not literal are ignored.
 */
export function realSleeps({ path, text }: SourceFile, maxMs: number): string[] {
  if (!/setTimeout|systemClock/.test(text)) return [];
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path} does not parse: ${errors[0]?.message}`);
  const sleepers = new Set<unknown>();
  const resolvers = new Set<unknown>();
  const constants = new Map<unknown, Argument>();
  const calls: Call[] = [];
  new Visitor({
    ImportDeclaration({ source, specifiers }) {
      if (source.value !== "node:timers/promises") return;
      for (const each of specifiers)
        if (each.type === "ImportSpecifier" && nameOf(each.imported) === "setTimeout") sleepers.add(each.local.name);
    },
    NewExpression({ callee, arguments: [executor] }) {
      if (callee.type !== "Identifier" || callee.name !== "Promise") return;
      if (executor?.type !== "ArrowFunctionExpression" && executor?.type !== "FunctionExpression") return;
      const [resolve] = executor.params;
      if (resolve?.type === "Identifier") resolvers.add(resolve.name);
    },
    VariableDeclarator({ id, init }) {
      if (id.type === "Identifier" && init !== null) constants.set(id.name, init);
    },
    CallExpression({ start, callee, arguments: args }) {
      calls.push({ start, callee, args });
    },
  }).visit(program);

  function lengthOf({ callee, args: [first, second] }: Call): Argument | undefined {
    if (callee.type === "MemberExpression")
      return nameOf(callee.object) === "systemClock" && nameOf(callee.property) === "sleep" ? first : undefined;
    if (sleepers.has(nameOf(callee))) return first;
    return nameOf(callee) === "setTimeout" && first !== undefined && resolvers.has(nameOf(first)) ? second : undefined;
  }

  /** Upper bound in milliseconds; undefined if the file does not say. */
  function millisecondsOf(length: Argument | undefined): number | undefined {
    if (length?.type === "Literal") return Number(length.value);
    if (length?.type === "Identifier") return millisecondsOf(constants.get(length.name));
    return undefined;
  }

  return calls.flatMap((call) => {
    const ms = millisecondsOf(lengthOf(call)) ?? 0;
    return ms > maxMs ? [`${path}:${text.slice(0, call.start).split("\n").length} sleeps ${ms} ms`] : [];
  });
}
