/** The one transport of a process. */
import { createTransport, type Transport } from "../../child/wire/transport.ts";
import type { Environment } from "../../template.ts";

/** Connections per origin; further children wait for one. */
const CONNECTIONS_PER_ORIGIN = 1024;
const USER_AGENT = "deputy";

/** @param env source of proxy variables */
export function openTransport(env: Environment): Transport {
  return createTransport({ connectionsPerOrigin: CONNECTIONS_PER_ORIGIN, environment: env, userAgent: USER_AGENT });
}
