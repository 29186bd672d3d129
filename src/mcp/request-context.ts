/** One call of a tool as it came in: what its client can do, and how it can be spoken to meanwhile. */
import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  type ClientCapabilities,
  type ElicitResult,
  type Implementation,
  type Server,
  type ServerContext,
} from "@modelcontextprotocol/server";
import type { Clock } from "../clock.ts";
import { present } from "../present.ts";
import type { ClientSession } from "./client-session.ts";
import { type FormSeal, notOurs, type SentForms } from "./form-seal.ts";
import type { ProgressLine } from "./progress.ts";

/** Longest wait for a client to tell its folders, in milliseconds. */
const ROOTS_MS = 2_000;

/** The question of a child, as a form. */
export type ElicitationForm = {
  message: string;
  requestedSchema: {
    type: "object";
    properties: Record<string, { type: "string"; title: string; enum?: string[] }>;
    required: string[];
  };
};

export type RequestContext = {
  client: ClientSession;
  signal: AbortSignal;
  /** On the clock of waits (`elapsed`). */
  startedAt: number;
  /** Absent where the client wants no progress. */
  onProgress?: (line: ProgressLine) => void;
  /** Absent where forms cannot be shown during the call: the client knows none, or its protocol has them between calls. */
  elicit?: (form: ElicitationForm, timeoutMs: number) => Promise<ElicitResult>;
  /**
   * Seals what goes out with forms, in an answer that is none yet: they come back filled in with the same call. Absent
   * where forms cannot be sent so.
   */
  sealForms?: (forms: SentForms) => string;
  /** The client's folders, as URLs; none where it has none, or its protocol does not let it be asked. */
  roots(): Promise<string[]>;
  /** What came back with this call, as it was sent: the run it is about, and forms by the request's code. */
  resumed?: { runId: string; shown: string[]; forms: Record<string, unknown> };
};

export type IncomingDeps = { server: Server; caller: ClientSession; clock: Clock; seal: FormSeal };

/** @throws DeputyError `usage` where something came back with the call that was not sent so */
export function createRequestContext(
  { mcpReq }: ServerContext,
  { server, caller: client, clock, seal }: IncomingDeps,
): RequestContext {
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
      if (modern || server.getClientCapabilities()?.roots === undefined) return [];
      const listed = mcpReq.send({ method: "roots/list" }, { timeout: ROOTS_MS });
      return listed.then(({ roots }) => roots.map(({ uri }) => uri)).catch(() => []); // One that does not say has none.
    },
    ...present({ resumed }),
  };
}

const NAME_CHARS = 64;

/** What the client calls itself, as a short line: with each request or, before 2026, when it connected. */
export function clientName(server: Server, { mcpReq }: ServerContext): string {
  const { name } = inEnvelope<Implementation>(mcpReq, CLIENT_INFO_META_KEY) ?? server.getClientVersion() ?? {};
  const line = String(name ?? "").replace(/[\p{C}\p{Z}()]+/gu, " ");
  return Array.from(line).slice(0, NAME_CHARS).join("").trim() || "an MCP client";
}

/** What came along with the request; the SDK has checked its shape. */
function inEnvelope<Value>({ envelope }: ServerContext["mcpReq"], key: string): Value | undefined {
  return (envelope as Record<string, Value> | undefined)?.[key];
}

/** Before modes had names, an empty `elicitation` meant forms. */
function knowsForms({ elicitation }: ClientCapabilities = {}): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

/** What came back with a call. @throws DeputyError `usage` where it belongs to no form that this session was sent */
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
