/** The context of one tool call: its client's capabilities, and ways to reach the client during the call. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type ElicitResult,
  type Implementation,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Clock } from "../../clock.ts";
import { present } from "../../values/present.ts";
import type { ProgressLine } from "../runs/progress.ts";
import type { ClientSession } from "./client-session.ts";
import { type FormSeal, notOurs, type SentForms } from "./form-seal.ts";

/** Maximum wait for a client to list its folders, in milliseconds. */
const ROOTS_MS = 2_000;

/** An approval request as a form without fields. */
export type ElicitationForm = {
  message: string;
  requestedSchema: { type: "object"; properties: Record<string, never> };
};

export type RequestContext = {
  client: ClientSession;
  signal: AbortSignal;
  /** On the monotonic clock (`elapsed`). */
  startedAt: number;
  /** Absent if the client wants no progress. */
  onProgress?: (line: ProgressLine) => void;
  /**
   * Absent if forms cannot be shown during the call: the client does not support them, or its protocol exchanges them
   * between calls.
   */
  elicit?: (form: ElicitationForm, timeoutMs: number) => Promise<ElicitResult>;
  /**
   * Seals state for forms that are sent in place of an answer and come back, filled in, with the same call. Absent if
   * forms cannot be sent this way.
   */
  sealForms?: (forms: SentForms) => string;
  /** The client's folders now, as URLs. */
  roots(): Promise<string[]>;
  /** State that came back with this call, as it was sent: its run, and forms by the request's code. */
  resumed?: { runId: string; shown: string[]; forms: Record<string, unknown> };
};

export type RequestContextDeps = { server: Server; caller: ClientSession; clock: Clock; seal: FormSeal };

/** @throws DeputyError `usage` if the call brings back state that was not sent in this form */
export function createRequestContext(
  context: ServerContext,
  { server, caller: client, clock, seal }: RequestContextDeps,
): RequestContext {
  const { mcpReq } = context;
  const modern = mcpReq.envelope !== undefined;
  const token = mcpReq._meta?.progressToken;
  const takesForms = knowsForms(
    modern ? inEnvelope(mcpReq, CLIENT_CAPABILITIES_META_KEY) : server.getClientCapabilities(),
  );
  const resumed = resumedBy(mcpReq, client, seal, takesForms && modern);
  return {
    client,
    signal: mcpReq.signal,
    startedAt: clock.elapsed(),
    ...(token !== undefined && {
      onProgress: (line) => {
        mcpReq.notify({ method: "notifications/progress", params: { progressToken: token, ...line } }).catch(() => {}); // The client has gone.
      },
    }),
    ...(takesForms &&
      (modern
        ? { sealForms: (forms) => seal.seal(client, forms) }
        : { elicit: (form, timeoutMs) => mcpReq.elicitInput({ mode: "form", ...form }, { timeout: timeoutMs }) })),
    async roots() {
      client.roots = askRoots(server, context);
      return client.roots;
    },
    ...present({ resumed }),
  };
}

/** The client's folders, as URLs; empty if it has none, or its protocol does not let the server ask. */
export async function askRoots(server: Server, { mcpReq }: ServerContext): Promise<string[]> {
  if (mcpReq.envelope !== undefined || server.getClientCapabilities()?.roots === undefined) return [];
  const listed = mcpReq.send({ method: "roots/list" }, { timeout: ROOTS_MS });
  return listed.then(({ roots }) => roots.map(({ uri }) => uri)).catch(() => []); // A client that does not answer has none.
}

const NAME_CHARS = 64;

/** The client's own name, as a short line: from the request or, before 2026, from the connection. */
export function clientName(server: Server, { mcpReq }: ServerContext): string {
  const { name } = inEnvelope<Implementation>(mcpReq, CLIENT_INFO_META_KEY) ?? server.getClientVersion() ?? {};
  const line = String(name ?? "").replace(/[\p{C}\p{Z}()]+/gu, " ");
  return Array.from(line).slice(0, NAME_CHARS).join("").trim() || "an MCP client";
}

/** Reads a field of the request's envelope, whose shape the SDK has checked. */
function inEnvelope<Value>({ envelope }: ServerContext["mcpReq"], key: string): Value | undefined {
  return (envelope as Record<string, Value> | undefined)?.[key];
}

/** Before modes had names, an empty `elicitation` meant forms. */
function knowsForms({ elicitation }: ClientCapabilities = {}): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** Opens the state that came back with a call. @throws DeputyError `usage` if this session was sent no such form */
function resumedBy(
  { requestState, inputResponses: forms = {} }: ServerContext["mcpReq"],
  caller: ClientSession,
  seal: FormSeal,
  takesForms: boolean,
): RequestContext["resumed"] {
  const state: unknown = requestState();
  if (state === undefined && Object.keys(forms).length === 0) return undefined;
  if (!takesForms) throw notOurs("this client has not said that it can show forms");
  if (typeof state !== "string") throw notOurs("there is none");
  const { runId, asked, shown } = seal.open(caller, state);
  const stray = Object.keys(forms).find((key) => !asked.includes(key));
  if (stray !== undefined) throw notOurs("an answer came back for a form that was not sent with it");
  return { runId, shown: [...shown, ...asked], forms };
}
