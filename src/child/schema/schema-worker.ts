/**
 * The thread that compiles schemas and checks answers against them, one job after another. `schema-checker.ts` starts
 * it, and ends it when a job takes too long.
 */
import { type MessagePort, parentPort } from "node:worker_threads";
import { Ajv } from "ajv";
import { Ajv2020 } from "ajv/dist/2020.js";
import { errorMessage } from "../../errors.ts";
import { FORMATS } from "./formats.ts";
import type { SchemaJob, SchemaVerdict } from "./schema-checker.ts";

/** Number of cached compiled schemas: one schema serves its preflight and the answers of all its tasks. */
const MAX_COMPILED = 50;
/** Maximum reported errors: the first ones tell the child what to correct. */
const MAX_ERRORS = 10;
/** Maximum length of an error: a path contains keys of the answer, which may be of any length. */
const MAX_ERROR_CHARACTERS = 400;
/** One value of each type. They reveal a schema with endless references before money is spent on it. */
const PROBES = [null, true, 0, "", [], {}];
const ASYNC = "found $async, which Deputy does not support: leave it out";

type Validate = ReturnType<Ajv["compile"]>;

if (parentPort !== null) serve(parentPort);

function serve(port: MessagePort): void {
  const compiled = new Map<string, Validate>();

  function validatorOf(schema: string): Validate {
    const validate = compiled.get(schema) ?? compile(schema);
    const [oldest] = compiled.keys();
    if (oldest !== undefined && compiled.size >= MAX_COMPILED) compiled.delete(oldest);
    compiled.set(schema, validate);
    return validate;
  }

  port.on("message", ({ schema, answers }: SchemaJob) => {
    port.postMessage("begun");
    let verdict: SchemaVerdict;
    try {
      const validate = validatorOf(schema);
      verdict = answers === undefined ? tryOut(validate) : verdictOn(answers, validate);
    } catch (error) {
      verdict = { unusable: reasonOf(error) };
    }
    port.postMessage(verdict);
  });
}

/** Draft 2020-12, or draft 7 if the schema says so. Separate instances keep the ids of two schemas from clashing. */
function compile(text: string): Validate {
  const { $schema, ...schema } = JSON.parse(text) as Record<string, unknown>;
  if (schema.$async) throw new Error(ASYNC);
  const Dialect = String($schema ?? "").includes("draft-07") ? Ajv : Ajv2020;
  const formats = Object.fromEntries(Object.entries(FORMATS).map(([name, { fits }]) => [name, fits]));
  return new Dialect({ allErrors: true, strict: false, logger: false, formats }).compile(schema);
}

function tryOut(validate: Validate): SchemaVerdict {
  for (const probe of PROBES) validate(probe);
  return { errors: [], chosen: 0 };
}

function verdictOn(answers: readonly string[], validate: Validate): SchemaVerdict {
  const [first = [], ...others] = answers.map((answer) => errorsIn(JSON.parse(answer), validate));
  const fitting = [first, ...others].findIndex((errors) => errors.length === 0);
  return fitting < 0 ? { errors: first, chosen: 0 } : { errors: [], chosen: fitting };
}

function errorsIn(answer: unknown, validate: Validate): string[] {
  if (validate(answer)) return [];
  return (validate.errors ?? []).slice(0, MAX_ERRORS).map(({ instancePath, message, keyword, params }) => {
    const example = keyword === "format" ? FORMATS[params.format]?.example : undefined;
    const text = `${instancePath || "the value"} ${message}${example === undefined ? "" : `, such as ${example}`}`;
    return text.length <= MAX_ERROR_CHARACTERS ? text : `…${text.slice(1 - MAX_ERROR_CHARACTERS)}`;
  });
}

function reasonOf(error: unknown): string {
  if (error instanceof RangeError) return "it refers to itself without end, or is too large";
  const message = errorMessage(error);
  return message.startsWith("async schema") ? ASYNC : message.slice(0, MAX_ERROR_CHARACTERS);
}
