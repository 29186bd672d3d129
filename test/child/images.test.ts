/** Images on the wire: each format as its vendor requires, which the scripted server checks. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { createConversation } from "../../src/child/conversation.ts";
import { worstCase } from "../../src/child/worst-case.ts";
import type { Image } from "../../src/image.ts";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { route } from "../support/child-stage.ts";
import { TINY_GIF, TINY_JPEG, TINY_PNG, TINY_WEBP } from "../support/tiny-images.ts";
import { createWireStage, type WireStage } from "../support/wire-stage.ts";

const bytes = (image: Buffer) => image.toString("base64");
const PNG: Image = { mediaType: "image/png", base64: bytes(TINY_PNG) };
const JPEG: Image = { mediaType: "image/jpeg", base64: bytes(TINY_JPEG) };
const GIF: Image = { mediaType: "image/gif", base64: bytes(TINY_GIF) };
const WEBP: Image = { mediaType: "image/webp", base64: bytes(TINY_WEBP) };
const LINK: Image = { mediaType: "image/png", url: "https://example.com/a%20chart.png?size=2" };

/** The first user message's content on the wire. */
const CONTENT: Record<ApiMode, (body: Record<string, unknown>) => unknown> = {
  chat_completions: ({ messages }) =>
    (messages as { role: string; content: unknown }[]).find(({ role }) => role === "user")?.content,
  responses: ({ input }) =>
    (input as { role: string; content: unknown }[]).find(({ role }) => role === "user")?.content,
  anthropic_messages: ({ messages }) => (messages as { content: unknown }[])[0]?.content,
  gemini: ({ contents }) => (contents as { parts: unknown }[])[0]?.parts,
};

/** One image as bytes and one as a URL before the text `Hello.` */
const WRITTEN: Record<ApiMode, unknown> = {
  chat_completions: [
    { type: "image_url", image_url: { url: `data:image/png;base64,${bytes(TINY_PNG)}` } },
    { type: "image_url", image_url: { url: "https://example.com/a%20chart.png?size=2" } },
    { type: "text", text: "Hello." },
  ],
  responses: [
    { type: "input_image", image_url: `data:image/png;base64,${bytes(TINY_PNG)}` },
    { type: "input_image", image_url: "https://example.com/a%20chart.png?size=2" },
    { type: "input_text", text: "Hello." },
  ],
  anthropic_messages: [
    { type: "image", source: { type: "base64", media_type: "image/png", data: bytes(TINY_PNG) } },
    { type: "image", source: { type: "url", url: "https://example.com/a%20chart.png?size=2" } },
    { type: "text", text: "Hello." },
  ],
  gemini: [
    { inlineData: { mimeType: "image/png", data: bytes(TINY_PNG) } },
    { fileData: { mimeType: "image/png", fileUri: "https://example.com/a%20chart.png?size=2" } },
    { text: "Hello." },
  ],
};

describe("images on the wire", () => {
  let stage: WireStage;
  before(async () => {
    stage = await createWireStage(() => ({ text: "A chart." }));
  });
  after(() => stage.close());

  for (const apiMode of API_MODES) {
    test(`${apiMode}: bytes and URLs come before the text, in the vendor's own form`, async () => {
      const { reply } = await stage.ask(apiMode, { images: [PNG, LINK] });
      assert.equal(reply.ok, true);
      assert.deepEqual(CONTENT[apiMode](stage.server.requests.at(-1)?.body ?? {}), WRITTEN[apiMode]);
    });

    test(`${apiMode}: every type that planning lets through is taken, and goes along with each further request`, async () => {
      const images = apiMode === "gemini" ? [PNG, JPEG, WEBP] : [PNG, JPEG, GIF, WEBP];
      const { reply } = await stage.ask(apiMode, {
        images,
        messages: [
          { role: "user", text: "Look." },
          { role: "assistant", provider: "vendor", parts: [{ type: "text", text: "Which?" }] },
          { role: "user", text: "All." },
        ],
      });
      assert.equal(reply.ok, true);
      const { messages = [] } = stage.server.requests.at(-1) ?? {};
      assert.deepEqual(
        messages.map(({ images: seen = [] }) => seen.length),
        [images.length, 0, 0],
      );
    });

    test(`${apiMode}: the server refuses bytes that do not match their declared type`, async () => {
      const text = bytes(Buffer.from("no image at all"));
      const { reply } = await stage.ask(apiMode, { images: [{ mediaType: "image/png", base64: text }] });
      assert.equal(reply.ok, false);
      assert.equal(reply.ok === false && reply.failure.kind, "invalid-request");
    });
  }

  test("a request without images is written as before", async () => {
    await stage.ask("chat_completions");
    assert.deepEqual(CONTENT.chat_completions(stage.server.requests.at(-1)?.body ?? {}), "Hello.");
  });
});

test("a budget counts 5,000 tokens for each image", () => {
  const image: Image = { mediaType: "image/png", base64: "" };
  const tokens = (count: number) =>
    worstCase(route("zai", "m"), { ...createConversation(), tools: [], images: Array(count).fill(image) }).inputTokens;
  assert.equal(tokens(3) - tokens(0), 15_000);
});
