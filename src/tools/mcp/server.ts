/**
 * One MCP server: started when it is first needed, followed when its list of tools changes, and started again after it
 * ended. A server that ends again and again is left alone for a while, and each call meanwhile gets its last error.
 */
import type { Clock } from "../../clock.ts";
import { unlessAborted } from "../../values/unless-aborted.ts";
import { ToolError } from "../tool-error.ts";
import { type Connection, connect, type ServerAddress, ServerError } from "./connection.ts";
import { type ListRules, readToolList, type ServerToolList } from "./tool-list.ts";

export type ServerOptions = ListRules & {
  address: ServerAddress;
  callTimeoutMs: number;
  startTimeoutMs: number;
};

export type McpServer = {
  /** Starts the server if necessary. @throws ToolError with the reason why it cannot be used */
  list(signal: AbortSignal): Promise<ServerToolList>;
  /** Brings `latest` up to date. Never rejects: a call says what is wrong. */
  refresh(signal: AbortSignal): Promise<void>;
  /** The newest list; undefined until the server has started once. */
  latest(): ServerToolList | undefined;
  /** The result as the server wrote it. @throws ToolError */
  call(tool: string, input: unknown, signal: AbortSignal): Promise<unknown>;
  close(): Promise<void>;
};

/** Delays before the next start, by the number of ends in a row. */
const DELAYS_MS = [0, 1_000, 2_000, 5_000, 15_000, 60_000];

/** A started server and its list of tools. */
type Started = { connection: Connection; isStale: boolean; hasEnded: boolean };

export function createMcpServer(options: ServerOptions, clock: Clock): McpServer {
  const { server: name, address, callTimeoutMs, startTimeoutMs } = options;
  let starting: Promise<Started> | undefined;
  let listing: Promise<void> | undefined;
  let list: ServerToolList | undefined;
  let endsInRow = 0;
  let last: { error: ServerError; at: number } | undefined;
  const closed = new AbortController();

  function noteEnd(error: ServerError): void {
    starting = undefined;
    endsInRow += 1;
    last = { error, at: clock.elapsed() };
  }

  function failed({ message }: Error, more = ""): ToolError {
    return new ToolError(`The MCP server ${name} failed: ${message}${more}`);
  }

  function started(): Promise<Started> {
    if (starting !== undefined) return starting;
    const delayMs = DELAYS_MS[Math.min(endsInRow, DELAYS_MS.length) - 1] ?? 0;
    const leftMs = last === undefined ? 0 : last.at + delayMs - clock.elapsed();
    if (last !== undefined && leftMs > 0)
      return Promise.reject(failed(last.error, `\nIt can be started again in ${Math.ceil(leftMs / 1000)} s.`));
    const attempt = start();
    starting = attempt;
    return attempt;
  }

  async function start(): Promise<Started> {
    const deadline = clock.elapsed() + startTimeoutMs;
    let made: Started | undefined;
    const events = {
      onListChanged() {
        if (made !== undefined) made.isStale = true;
      },
      onEnd(error: ServerError) {
        if (made !== undefined) made.hasEnded = true;
        noteEnd(error);
      },
    };
    try {
      const connection = await connect(address, events, startTimeoutMs, closed.signal);
      made = { connection, isStale: false, hasEnded: false };
      await read(made, Math.max(1, deadline - clock.elapsed()));
      return made;
    } catch (error) {
      if (!(error instanceof ServerError)) throw error;
      await made?.connection.close();
      if (made?.hasEnded !== true) noteEnd(error);
      throw failed(error);
    }
  }

  async function read(of: Started, timeoutMs: number): Promise<void> {
    of.isStale = false;
    list = readToolList(await of.connection.listTools(timeoutMs), options);
  }

  /** Reads the list again once, however many calls wait for it. */
  function readAgain(of: Started): Promise<void> {
    listing ??= read(of, callTimeoutMs).finally(() => {
      listing = undefined;
    });
    return listing;
  }

  return {
    latest: () => list,
    async list(signal) {
      await unlessAborted(started(), signal);
      if (list === undefined) throw new Error(`${name} started without a list`);
      return list;
    },
    async refresh(signal) {
      try {
        const of = await unlessAborted(started(), signal);
        if (of.isStale || listing !== undefined) await unlessAborted(readAgain(of), signal);
      } catch (error) {
        if (!(error instanceof ServerError || error instanceof ToolError || signal.aborted)) throw error;
      }
    },
    async call(tool, input, signal) {
      const { connection } = await unlessAborted(started(), signal);
      try {
        const result = await connection.callTool(tool, input, callTimeoutMs, signal);
        endsInRow = 0;
        return result;
      } catch (error) {
        throw error instanceof ServerError ? failed(error) : error;
      }
    },
    async close() {
      const closing = starting;
      closed.abort();
      starting = undefined;
      await closing?.then(
        ({ connection }) => connection.close(),
        () => {},
      );
    },
  };
}
