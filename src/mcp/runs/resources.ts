/** MCP resources: runs, whole answers and transcripts. A client fetches a large text only when it wants it. */
import {
  type CompleteResult,
  type ReadResourceResult,
  type Resource,
  ResourceNotFoundError,
  type ResourceTemplateType,
  type Server,
  type ServerContext,
  UriTemplate,
} from "@modelcontextprotocol/server";
import type { Clock } from "../../clock.ts";
import type { ManagedRuns } from "../../engine/control/delegations.ts";
import { DeputyError } from "../../errors.ts";
import { resultOf } from "../../result.ts";
import { hasEnded, parseRunId, type Run, resultsOf } from "../../run/run.ts";
import { reportOf } from "../../run/run-report.ts";
import { transcriptOf } from "../../run/transcript.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { shortLine } from "../../text/short-line.ts";

/** Number of listed runs; any other can be read by its id. */
const MOST_LISTED = 50;
const MOST_COMPLETIONS = 100;

type ResourceText = { mimeType: string; text: string };

type ResourceContext = { engine: ManagedRuns; clock: Clock };

export type ResourcesDeps = {
  clock: Clock;
  /** The runs that the client of a request sees. */
  seenIn(context: ServerContext): ManagedRuns;
};

type ResourceTemplate = ResourceTemplateType & {
  read(context: ResourceContext, id: string, child: string): Promise<ResourceText>;
};

const TEMPLATES: ResourceTemplate[] = [
  {
    uriTemplate: "deputy://runs/{id}",
    name: "run",
    title: "A run",
    description:
      "The run's results with full answers, as `deputy show ID --json` prints them, and the status of its other children.",
    mimeType: "application/json",
    read: async ({ engine, clock }, id) => {
      const listing = await engine.run(id);
      const { state, open } = reportOf(listing, clock.now());
      return asJson({ ...resultsOf(listing.run), state, open });
    },
  },
  {
    uriTemplate: "deputy://runs/{id}/children/{child}/result",
    name: "result",
    title: "A child's answer",
    description: "The full answer of one child.",
    mimeType: "text/plain",
    read: async ({ engine }, _, child) => ({
      mimeType: "text/plain",
      text: answerOf((await engine.run(child)).run, child),
    }),
  },
  {
    uriTemplate: "deputy://runs/{id}/children/{child}/transcript",
    name: "transcript",
    title: "A child's transcript",
    description: "The full conversation of one child: prompts, answers, tool calls and their results.",
    mimeType: "text/plain",
    read: async ({ engine }, _, child) => ({
      mimeType: "text/plain",
      text: transcriptOf(await Array.fromAsync(engine.events(child)))
        .map(({ who, text }) => `── ${who}\n${text.trim()}\n`)
        .join("\n"),
    }),
  },
];

export function registerResources(server: Server, { seenIn, clock }: ResourcesDeps): void {
  server.setRequestHandler("resources/list", async (_, context) => ({
    resources: (await seenIn(context).runs(MOST_LISTED)).map(runResource),
  }));
  server.setRequestHandler("resources/templates/list", () => ({
    resourceTemplates: TEMPLATES.map(({ read: _, ...template }) => template),
  }));
  server.setRequestHandler("resources/read", ({ params: { uri } }, context) =>
    readResource({ engine: seenIn(context), clock }, uri),
  );
  server.setRequestHandler("completion/complete", ({ params: { argument, context } }, request) =>
    completions(seenIn(request), argument, context?.arguments ?? {}),
  );
}

function runResource({ run }: { run: Run }): Resource {
  const { delegationId, call } = run;
  return {
    uri: `deputy://runs/${delegationId}`,
    name: delegationId,
    title: shortLine(call.tasks[0]?.goal),
    mimeType: "application/json",
  };
}

async function readResource(context: ResourceContext, uri: string): Promise<ReadResourceResult> {
  for (const { uriTemplate, read } of TEMPLATES) {
    const found = new UriTemplate(uriTemplate).match(uri);
    if (found === null) continue;
    const { id, child } = found;
    try {
      return { contents: [{ uri, ...(await read(context, String(id), String(child))) }] };
    } catch (error) {
      if (error instanceof DeputyError) throw new ResourceNotFoundError(uri, error.message);
      throw error;
    }
  }
  throw new ResourceNotFoundError(uri, `Available: ${TEMPLATES.map(({ uriTemplate }) => uriTemplate).join(", ")}`);
}

function answerOf(run: Run, id: string): string {
  const child = run.children[parseRunId(id).taskIndex ?? -1];
  if (child === undefined) throw new DeputyError("run-unknown", `Expected the id of a child; found ${id}.`);
  return hasEnded(child) ? resultOf(child.tally).summary : "";
}

function asJson(value: unknown): ResourceText {
  return { mimeType: "application/json", text: jsonDocument(value) };
}

async function completions(
  engine: ManagedRuns,
  { name, value }: { name: string; value: string },
  before: Record<string, string>,
): Promise<CompleteResult> {
  const runs = (await engine.runs()).map(({ run }) => run);
  const known: Record<string, () => string[]> = {
    id: () => runs.map(({ delegationId }) => delegationId),
    child: () =>
      runs
        .filter(({ delegationId }) => before.id === undefined || delegationId === before.id)
        .flatMap(({ children }) => children.map(({ tally }) => tally.childId)),
  };
  const values = (known[name]?.() ?? []).filter((each) => each.startsWith(value));
  return { completion: { values: values.slice(0, MOST_COMPLETIONS), total: values.length } };
}
