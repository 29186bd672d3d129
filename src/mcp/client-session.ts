/** A client as this server knows it: as long as its connection lasts or, where there is none, under its name. */
import { randomUUID } from "node:crypto";

export type ClientSession = {
  /** As it names itself. */
  readonly name: string;
  /** `mcp`, or where else its tools are offered. */
  readonly surface: string;
  /** Of this caller alone: what was sealed for it is good for no other. */
  readonly session: string;
  /** Runs it asked for and has not been told the end of, by what it asked: who asks again is told of the same run. */
  readonly asked: Map<string, Promise<string>>;
  /** Requests of children that its person has been put, each settled or not. */
  readonly shown: Set<string>;
  /** Requests of children that its model has been told of. */
  readonly told: Set<string>;
  /** Forms that are with it and have not come back: what each was sealed under, and until when it is good. */
  readonly sent: Map<string, number>;
};

export function createClientSession(name: string, surface = "mcp"): ClientSession {
  const session = randomUUID();
  return { name, surface, session, asked: new Map(), shown: new Set(), told: new Set(), sent: new Map() };
}
