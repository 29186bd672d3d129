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
import type { Caller } from "./caller.ts";
import type { ProgressLine } from "./progress.ts";

/** Longest wait for a client to tell its folders, in milliseconds. */
const ROOTS_MS = 2_000;

/** The question of a child, as a form. */
export type Form = {
  message: string;
  requestedSchema: {
    type: "object";
    properties: Record<string, { type: "string"; title: string; enum?: string[] }>;
    required: string[];
  };
};

export type Incoming = {
  caller: Caller;
  signal: AbortSignal;
  /** On the clock of waits (`elapsed`). */
  startedAt: number;
  /** Absent where the client wants no progress. */
  tell?: (line: ProgressLine) => void;
  /** Absent where forms cannot be shown during the call: the client knows none, or its protocol has them between calls. */
  elicit?: (form: Form, timeoutMs: number) => Promise<ElicitResult>;
  /** Forms go out with an answer that is none yet, and come back filled in with the same call. */
  elicitsBetweenCalls: boolean;
  /** The client's folders, as URLs; none where it has none, or its protocol does not let it be asked. */
  roots(): Promise<string[]>;
  /** What came back with this call: the run it is about, and forms by the question's key. */
  resumed?: { runId: string; shown: string[]; forms: Record<string, unknown> };
};

export function incoming(server: Server, { mcpReq }: ServerContext, caller: Caller, clock: Clock): Incoming {
  const modern = mcpReq.envelope !== undefined;
  const token = mcpReq._meta?.progressToken;
  const takesForms = knowsForms(
    modern ? inEnvelope(mcpReq, CLIENT_CAPABILITIES_META_KEY) : server.getClientCapabilities(),
  );
  const state = readState(mcpReq.requestState());
  return {
    caller,
    signal: mcpReq.signal,
    startedAt: clock.elapsed(),
    ...(token !== undefined && {
      tell: (line) => {
        mcpReq.notify({ method: "notifications/progress", params: { progressToken: token, ...line } }).catch(() => {}); // The client has gone.
      },
    }),
    ...(takesForms &&
      !modern && {
        elicit: (form, timeoutMs) => mcpReq.elicitInput({ mode: "form", ...form }, { timeout: timeoutMs }),
      }),
    elicitsBetweenCalls: takesForms && modern,
    async roots() {
      if (modern || server.getClientCapabilities()?.roots === undefined) return [];
      const listed = mcpReq.send({ method: "roots/list" }, { timeout: ROOTS_MS });
      return listed.then(({ roots }) => roots.map(({ uri }) => uri)).catch(() => []); // One that does not say has none.
    },
    ...(state && { resumed: { ...state, forms: mcpReq.inputResponses ?? {} } }),
  };
}

/** What the client calls itself: with each request or, before 2026, when it connected. */
export function clientName(server: Server, { mcpReq }: ServerContext): string {
  const { name } = inEnvelope<Implementation>(mcpReq, CLIENT_INFO_META_KEY) ?? server.getClientVersion() ?? {};
  return name ?? "an MCP client";
}

/** What came along with the request; the SDK has checked its shape. */
function inEnvelope<Value>({ envelope }: ServerContext["mcpReq"], key: string): Value | undefined {
  return (envelope as Record<string, Value> | undefined)?.[key];
}

/** Before modes had names, an empty `elicitation` meant forms. */
function knowsForms({ elicitation }: ClientCapabilities = {}): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

type State = { runId: string; shown: string[] };

/** It holds nothing that its client could not say by itself: which run, and which questions its person has seen. */
export function writeState(state: State): string {
  return JSON.stringify(state);
}

function readState(text: unknown): State | undefined {
  if (typeof text !== "string") return undefined;
  try {
    const { runId, shown } = JSON.parse(text) as Partial<State>;
    if (typeof runId !== "string" || !Array.isArray(shown)) return undefined;
    return { runId, shown: shown.map(String) };
  } catch {
    return undefined;
  }
}
