/** The body of a response: read as text, or put in place of the one that was sent. */

/** @param maxBytes as much as is read, at least; the rest is not waited for */
export async function textOf(body: ReadableStream<Uint8Array> | null, maxBytes = Infinity): Promise<string> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for await (const piece of body ?? []) {
    pieces.push(piece);
    length += piece.length;
    if (length > maxBytes) break;
  }
  return Buffer.concat(pieces).toString();
}

/** A response with another body. Only the parts that its readers need: see `responseOf` in `transport.ts`. */
export function withBody({ ok, status, statusText, headers }: Response, body: ReadableStream<Uint8Array>): Response {
  return { ok, status, statusText, headers, body } as unknown as Response;
}
