/**
 * State that this server keeps per client: for a connection's lifetime or, without connections, under the client's
 * name.
 */
import { randomUUID } from "node:crypto";
import type { DelegationClient } from "../../engine/control/delegations.ts";

export type ClientSession = DelegationClient & {
  /** Identifies this session: what was sealed for it is invalid in any other. */
  readonly session: string;
  /** Runs that the client requested and whose end it has not seen, by call: a repeated call joins its run. */
  readonly asked: Map<string, Promise<string>>;
  /** Codes of the approval requests that its user has seen, resolved or not. */
  readonly shown: Set<string>;
  /** Forms that were sent and have not come back: their seal id, and when it expires. */
  readonly sent: Map<string, number>;
  /** Its folders, as URLs, if they were asked for and have not changed since. */
  roots?: Promise<string[]>;
};

export function createClientSession(name: string): ClientSession {
  const session = randomUUID();
  return { name, surface: "mcp", session, asked: new Map(), shown: new Set(), told: new Set(), sent: new Map() };
}
