/** Adapts the process's transport to a standard `fetch`, with whole responses, for MCP servers over HTTP. */
import type { Transport } from "../../child/wire/transport.ts";
import type { ServerToolsDeps } from "./lease-server-tools.ts";

/** Statuses whose responses have no body. */
const WITHOUT_BODY = [204, 205, 304];

export function serverFetch(transport: Pick<Transport, "fetchFor">): ServerToolsDeps["fetchFor"] {
  return (url, headers) => {
    const send = transport.fetchFor(url, { headers, redact: (text) => text });
    return async (input, init = {}) => {
      const named = Object.fromEntries(new Headers(init.headers).entries());
      const response = await send(input, { ...init, headers: named });
      const { status, statusText } = response;
      const received = new Headers(Object.fromEntries(response.headers));
      if (!WITHOUT_BODY.includes(status)) return new Response(response.body, { status, statusText, headers: received });
      await response.body?.cancel();
      return new Response(null, { status, statusText, headers: received });
    };
  };
}
