/** Sends one rare request on its own transport, which Node loads only then. */
import type { Access } from "../../secret.ts";
import type { Environment } from "../../template.ts";

export type RareRequest = {
  method: "GET" | "POST";
  url: string;
  /** Sent only to the URL's own origin. */
  access?: Pick<Access, "key" | "headers">;
  headers: Record<string, string>;
  body?: string;
  /** Most of the response that is read, in bytes. */
  maxBytes: number;
};

/** @param env source of proxy variables @throws if no response arrives */
export async function requestOnce(
  { method, url, access = { headers: {} }, headers, body, maxBytes }: RareRequest,
  env: Environment,
  signal: AbortSignal,
): Promise<{ status: number; text: string }> {
  const [{ openTransport }, { textOf }] = await Promise.all([
    import("./open-transport.ts"),
    import("../../child/wire/response-body.ts"),
  ]);
  const transport = openTransport(env);
  try {
    const fetch = transport.fetchFor(url, { ...access, redact: (text) => text });
    const response = await fetch(url, { method, headers, signal, ...(body !== undefined && { body }) });
    return { status: response.status, text: await textOf(response.body, maxBytes) };
  } finally {
    await transport.close();
  }
}
