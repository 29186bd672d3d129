/** A client as this server knows it: as long as its connection lasts or, where there is none, under its name. */
import { randomUUID } from "node:crypto";
import type { DelegationClient } from "../engine/control/delegations.ts";

export type ClientSession = DelegationClient & {
  /** Of this caller alone: what was sealed for it is good for no other. */
  readonly session: string;
  /** Runs it asked for and has not been told the end of, by what it asked: who asks again is told of the same run. */
  readonly asked: Map<string, Promise<string>>;
  /** Requests of children that its person has been put, each settled or not. */
  readonly shown: Set<string>;
  /** Forms that are with it and have not come back: what each was sealed under, and until when it is good. */
  readonly sent: Map<string, number>;
};

export function createClientSession(name: string): ClientSession {
  const session = randomUUID();
  return { name, surface: "mcp", session, asked: new Map(), shown: new Set(), told: new Set(), sent: new Map() };
}
