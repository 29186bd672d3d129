/**
 * One connection to an MCP server: the handshake, its list of tools, and calls. The protocol's library is loaded with the
 * first connection. Deputy declares no capability: a server that asks for the user's input, or for a model, gets an error.
 */
import type { StreamableHTTPClientTransport, Transport } from "@modelcontextprotocol/client";
import { z } from "zod";
import type { ProgramToWatch } from "../../system/watched-program.ts";
import { shortLine } from "../../text/short-line.ts";
import { harmless } from "../../text/spelled-text.ts";
import { unlessAborted } from "../../values/unless-aborted.ts";
import { toolErrorText } from "../tool-error.ts";
import { createProgramTransport, type ProgramTransport } from "./program-transport.ts";

/** The address of a server. `fetch` adds these headers, and reaches only the URL's origin. */
export type ServerAddress =
  | { program: ProgramToWatch }
  | { url: string; headers: Record<string, string>; fetch: typeof globalThis.fetch };

export type Connection = {
  /** The definitions that the server lists. @throws ServerError */
  listTools(timeoutMs: number): Promise<unknown[]>;
  /** The result as the server wrote it. An aborted call is cancelled at the server. @throws ServerError */
  callTool(name: string, input: unknown, timeoutMs: number, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
};

export type ConnectionEvents = {
  /** The server says that its list of tools has changed. */
  onListChanged(): void;
  /** The connection has ended by itself. */
  onEnd(error: ServerError): void;
};

/** A server's failure, as a clause, with its last output. */
export class ServerError extends Error {}

type Sdk = typeof import("@modelcontextprotocol/client");

/** Longer lists are cut. */
const MAX_PAGES = 50;
const MAX_LISTED = 20_000;
/** Time in which a server that did not answer a call has to answer a ping, in milliseconds. */
const PING_MS = 5_000;
/** Maximum time to end the session of a server over HTTP, in milliseconds. */
const END_SESSION_MS = 500;
const MAX_QUOTED = 300;
/** A code of JSON-RPC's range for implementations. */
const STREAM_ENDED = -32_000;

const toolPage = z.looseObject({ tools: z.array(z.unknown()), nextCursor: z.string().nullish() });
const anyResult = z.looseObject({});

/**
 * @param signal stops the handshake and the list
 * @throws ServerError if the server cannot be reached, or does not speak the protocol in time
 */
export async function connect(
  address: ServerAddress,
  { onListChanged, onEnd }: ConnectionEvents,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Connection> {
  const sdk = await import("@modelcontextprotocol/client");
  const { transport, lastOutput, endedBecause, endSession } = reach(sdk, address);
  const client = new sdk.Client({ name: "deputy", version: "1" });
  let isOpen = false;
  client.setNotificationHandler("notifications/tools/list_changed", onListChanged);
  client.onclose = () => {
    if (isOpen) onEnd(new ServerError(withOutput(endedBecause())));
    isOpen = false;
  };

  function withOutput(because: string): string {
    const output = lastOutput();
    return output === "" ? because : `${because}. Its last output:\n${output}`;
  }

  /** @param waitedMs how long an answer was waited for */
  function failure(error: unknown, waitedMs: number): ServerError {
    return new ServerError(withOutput(describe(sdk, error, waitedMs, endedBecause)), { cause: error });
  }

  async function withServerErrors<Answer>(answer: Promise<Answer>, waitedMs: number): Promise<Answer> {
    try {
      return await answer;
    } catch (error) {
      throw failure(error, waitedMs);
    }
  }

  async function close(): Promise<void> {
    isOpen = false;
    await endSession();
    await client.close();
  }

  /** Ends a connection over which nothing arrives any more, so that the next call begins a new one. */
  async function closeIfBroken(error: unknown): Promise<void> {
    const isLate = isTimeout(sdk, error);
    const isBroken = isLate ? !(await answersPing()) : isOfNetwork(sdk, error);
    if (!isBroken || !isOpen) return;
    onEnd(failure(error, PING_MS));
    await close();
  }

  function answersPing(): Promise<boolean> {
    const ping = client.ping({ timeout: PING_MS });
    return ping.then(
      () => true,
      () => false,
    );
  }

  try {
    await client.connect(transport, { timeout: timeoutMs, signal });
    isOpen = true;
  } catch (error) {
    await client.close().catch(() => {});
    throw failure(error, timeoutMs);
  }
  return {
    async listTools(waitMs) {
      const listed: unknown[] = [];
      let cursor: string | null | undefined;
      for (let page = 0; page < MAX_PAGES && listed.length < MAX_LISTED; page += 1) {
        const request = { method: "tools/list", params: cursor == null ? {} : { cursor } };
        const answer = client.request(request, toolPage, { timeout: waitMs, signal });
        const { tools, nextCursor } = await withServerErrors(answer, waitMs);
        listed.push(...tools);
        if (nextCursor == null || nextCursor === cursor) break;
        cursor = nextCursor;
      }
      return listed.slice(0, MAX_LISTED);
    },
    async callTool(name, input, waitMs, callSignal) {
      const request = { method: "tools/call", params: { name, arguments: input } };
      try {
        return await client.request(request, anyResult, { timeout: waitMs, signal: callSignal });
      } catch (error) {
        // The next call must not go over a connection that is about to end.
        if (!callSignal.aborted) await unlessAborted(closeIfBroken(error), callSignal).catch(() => {});
        throw failure(error, waitMs);
      }
    },
    close,
  };
}

type OpenTransport = {
  transport: Transport;
  lastOutput(): string;
  /** Why the connection has ended, as a clause. */
  endedBecause(): string;
  /** Tells the server that no more requests follow. */
  endSession(): Promise<void>;
};

function reach(sdk: Sdk, address: ServerAddress): OpenTransport {
  if ("program" in address) {
    const transport: ProgramTransport = createProgramTransport(address.program, sdk.parseJSONRPCMessage);
    const endedBecause = () => transport.endedBecause ?? "the connection has ended";
    return { transport, lastOutput: transport.lastOutput, endedBecause, endSession: async () => {} };
  }
  const transport = new sdk.StreamableHTTPClientTransport(new URL(address.url), { fetch: address.fetch });
  endCallsWithTheirStreams(transport);
  const endSession = async () => {
    if (transport.sessionId === undefined) return;
    const timeout = new Promise((resolve) => setTimeout(resolve, END_SESSION_MS).unref());
    await Promise.race([transport.terminateSession().catch(() => {}), timeout]);
  };
  return { transport, lastOutput: () => "", endedBecause: () => "the connection has ended", endSession };
}

/**
 * If the stream of an answer ends early, the library lets the call wait until its time is up. This answers such a call
 * with an error, which a call that has its answer ignores.
 */
function endCallsWithTheirStreams(transport: StreamableHTTPClientTransport): void {
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const id = !Array.isArray(message) && "method" in message && "id" in message ? message.id : undefined;
    const error = { code: STREAM_ENDED, message: "the connection ended before the answer" };
    const onRequestStreamEnd = () => id !== undefined && transport.onmessage?.({ jsonrpc: "2.0", id, error });
    return send(message, { ...options, onRequestStreamEnd });
  };
}

function isTimeout(sdk: Sdk, error: unknown): boolean {
  return error instanceof sdk.SdkError && error.code === sdk.SdkErrorCode.RequestTimeout;
}

/** Errors of the protocol and of an answer's form come over a connection that works. */
function isOfNetwork(sdk: Sdk, error: unknown): boolean {
  const isOther = !(error instanceof sdk.ProtocolError) && !(error instanceof sdk.SdkError);
  return isOther || error instanceof sdk.SdkHttpError;
}

/** Says as a clause what happened. What the server wrote is quoted in one line. */
function describe(sdk: Sdk, error: unknown, waitedMs: number, endedBecause: () => string): string {
  const { SdkErrorCode } = sdk;
  if (error instanceof sdk.ProtocolError) return `it answered with error ${quoted(error)} (${error.code})`;
  if (isTimeout(sdk, error)) return `it did not answer within ${waitedMs / 1000} s`;
  if (error instanceof sdk.SdkHttpError) return `it answered with HTTP status ${error.status}: ${quoted(error)}`;
  if (!(error instanceof sdk.SdkError)) return toolErrorText(error) ?? quoted(error);
  if (error.code === SdkErrorCode.ConnectionClosed || error.code === SdkErrorCode.NotConnected) return endedBecause();
  return `its answer is not valid: ${quoted(error)}`;
}

function quoted(error: unknown): string {
  return harmless(shortLine(error instanceof Error ? error.message : String(error), MAX_QUOTED));
}
