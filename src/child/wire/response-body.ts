/** The body of a response: read as text, or replaced. */

/** Maximum length read of an error response, in bytes. */
export const MAX_ERROR_BYTES = 256 * 1024;

/** @param maxBytes stops reading once there are more */
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

/** A response with this text as its body. */
export function withText(response: Response, text: string): Response {
  return withBody(response, new Blob([text]).stream());
}
