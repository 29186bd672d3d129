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
