/** The event stream of `chat_completions`, in every form that the standard allows and in pieces of any size. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chatParts } from "../../../src/child/wire/chat-stream.ts";

const chunk = (content: string) => JSON.stringify({ choices: [{ delta: { content } }] });

async function textOf(stream: string, pieceBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const bytes = new TextEncoder().encode(stream);
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (let at = 0; at < bytes.length; at += pieceBytes) controller.enqueue(bytes.slice(at, at + pieceBytes));
      controller.close();
    },
  });
  let text = "";
  for await (const part of chatParts(body)) {
    assert.equal(part.type, "text-delta");
    if (part.type === "text-delta") text += part.delta;
  }
  return text;
}

const FORMS: [name: string, stream: string][] = [
  ["line feeds", `data: ${chunk("獅")}\n\ndata: ${chunk("子")}\n\ndata: [DONE]\n\n`],
  ["line breaks of Windows", `data: ${chunk("獅")}\r\n\r\ndata: ${chunk("子")}\r\n\r\ndata: [DONE] \r\n\r\n`],
  ["carriage returns", `data: ${chunk("獅")}\r\rdata: ${chunk("子")}\r\rdata: [DONE]\r\r`],
  [
    "no blank after the colon, comments and other fields",
    `: hi\nid: 1\nevent: x\ndata:${chunk("獅")}\n\n:\n\ndata:${chunk("子")}\n\n`,
  ],
  ["data over several lines", `data: {"choices":\ndata: [{"delta":{"content":"獅子"}}]}\n\n`],
  ["an end within the last event", `data: ${chunk("獅")}\n\ndata: ${chunk("子")}`],
];
for (const [name, stream] of FORMS)
  test(`is read with ${name}, whole or byte by byte`, async () => {
    assert.equal(await textOf(stream), "獅子");
    assert.equal(await textOf(stream, 1), "獅子");
  });
