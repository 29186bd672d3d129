/** The one transport of a process, as Deputy sets it up. */
import { createTransport, type Transport } from "../../child/wire/transport.ts";
import type { Environment } from "../../template.ts";

/** Connections to one origin; more children than that wait for one. */
const CONNECTIONS_PER_ORIGIN = 1024;
const USER_AGENT = "deputy";

/** @param env proxy variables are read from here */
export function openTransport(env: Environment): Transport {
  return createTransport({ connectionsPerOrigin: CONNECTIONS_PER_ORIGIN, environment: env, userAgent: USER_AGENT });
}
