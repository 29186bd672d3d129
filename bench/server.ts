/** The scripted model server of one measurement. */
import { createModelServer, type ModelServer, type ModelServerOptions } from "../src/testing/model-server.ts";
import { KEY, REQUESTS_PER_CHILD, turnFor } from "./scenario.ts";

export async function withServer<Value>(
  keepRequests: NonNullable<ModelServerOptions["keepRequests"]>,
  work: (server: ModelServer) => Promise<Value>,
): Promise<Value> {
  const server = await createModelServer({ script: turnFor, keys: { bench: KEY }, keepRequests });
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

/** @throws Error if the server did not get exactly the requests of `children` children */
export function expectRequestsOf(children: number, { count }: ModelServer): void {
  const expected = children * REQUESTS_PER_CHILD;
  if (count !== expected) throw new Error(`Expected ${expected} requests, the server saw ${count}.`);
}

/**
 * Milliseconds from the start of a process to the arrival of its first request.
 * @param start resolves with the time of the start, once the process has ended
 */
export function firstRequestAfter(start: (server: ModelServer) => Promise<number>): Promise<number> {
  return withServer("brief", async (server) => {
    const startedAt = await start(server);
    return (server.requests[0]?.at ?? Number.NaN) - startedAt;
  });
}
