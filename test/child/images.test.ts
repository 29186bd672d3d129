/** Images on the wire: each format as its vendor requires, which the scripted server checks. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { applyEvent, createConversation } from "../../src/child/conversation.ts";
import { overflow, worstCase } from "../../src/child/worst-case.ts";
import type { Image } from "../../src/image.ts";
import { API_MODES, type ApiMode } from "../../src/route.ts";
import { route } from "../support/child-stage.ts";
import { TINY_GIF, TINY_JPEG, TINY_PNG, TINY_WEBP } from "../support/tiny-images.ts";
import { createWireStage, type WireStage, wireRoute } from "../support/wire-stage.ts";

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

  test("images of results follow an assistant's message where a user's may not follow a result", async () => {
    const mistral = { ...wireRoute(stage.server.baseUrl("chat_completions"), "chat_completions"), provider: "mistral" };
    const { reply } = await stage.ask("chat_completions", {
      route: { ...mistral, facts: { vision: true } },
      imageBytes: new Map([["x", bytes(TINY_PNG)]]),
      messages: [
        { role: "user", text: "Look." },
        {
          role: "assistant",
          provider: "mistral",
          parts: [{ type: "tool-call", callId: "abcdefgh1", name: "read_file", input: { path: "a.png" } }],
        },
        {
          ...{ role: "tool", callId: "abcdefgh1", name: "read_file", target: "a.png", text: "An image.", ok: true },
          images: [{ sha256: "x", mediaType: "image/png" }],
        },
        { role: "user", text: "Answer now." },
      ],
    });
    assert.equal(reply.ok, true);
    assert.deepEqual(
      stage.server.requests
        .at(-1)
        ?.messages.map(({ role, text, images = [] }) => [role, text, images.length])
        .slice(3),
      [
        ["assistant", "I have read the results.", 0],
        ["user", 'Images of the results above, in order: read_file "a.png"', 1],
        ["user", "Answer now.", 0],
      ],
    );
  });

  test("a request without images is written as before", async () => {
    await stage.ask("chat_completions");
    assert.deepEqual(CONTENT.chat_completions(stage.server.requests.at(-1)?.body ?? {}), "Hello.");
  });
});

test("a conversation is longer by 5,000 tokens for each image in a result, but not certainly too long", () => {
  const conversation = createConversation();
  const about = { at: 0, delegationId: "d", childId: "d.1" };
  const result = { callId: "c", name: "read_file", target: "a.png", text: "a.png is an image.", ok: true } as const;
  const images = Array(4).fill({ sha256: "x", mediaType: "image/png" });
  const rest = { outcome: "ran", durationMs: 0 } as const;
  applyEvent(conversation, { kind: "tool-end", ...about, ...result, ...rest, filesChanged: [], images });
  const sent = { ...conversation, tools: [], images: [] };
  const facts = { contextWindow: 1_000 };
  assert.equal(worstCase(route("zai", "m"), sent).inputTokens, 4 * 5_000 + 6);
  assert.equal(overflow(route("zai", "m", { facts }), sent), undefined);
});

test("a budget counts 5,000 tokens for each image", () => {
  const image: Image = { mediaType: "image/png", base64: "" };
  const tokens = (count: number) =>
    worstCase(route("zai", "m"), { ...createConversation(), tools: [], images: Array(count).fill(image) }).inputTokens;
  assert.equal(tokens(3) - tokens(0), 15_000);
});
