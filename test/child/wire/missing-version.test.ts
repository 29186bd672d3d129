/** A base URL without the version that most end in. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createVersionTrial } from "../../../src/child/wire/missing-version.ts";
import type { Fetch } from "../../../src/child/wire/transport.ts";

const BASE = "http://127.0.0.1:8000";
const NOTHING = () => Response.json({ detail: "Not Found" }, { status: 404 });
const STREAM = () => new Response("data: {}", { headers: { "content-type": "text/event-stream" } });

/** A server that answers by path, and what it was asked. */
function server(answers: Record<string, () => Response>): { fetch: Fetch; asked: string[] } {
  const asked: string[] = [];
  const fetch: Fetch = async (input) => {
    const { pathname } = new URL(String(input));
    asked.push(pathname);
    return (answers[pathname] ?? NOTHING)();
  };
  return { fetch, asked };
}

describe("a base URL without a version", () => {
  const elsewhere: Record<string, () => Response> = {
    "nothing, as most servers say it": NOTHING,
    "nothing that takes a POST": () => new Response("Method Not Allowed", { status: 405 }),
    "a web page": () => new Response("<html></html>", { headers: { "content-type": "text/html" } }),
    "what LM Studio says": () => Response.json({ error: "Unexpected endpoint or method. (POST /chat/completions)" }),
  };
  for (const [what, answer] of Object.entries(elsewhere))
    test(`at which is ${what} is asked with it, and from then on only so`, async () => {
      const { fetch, asked } = server({ "/chat/completions": answer, "/v1/chat/completions": STREAM });
      const trying = createVersionTrial(BASE, "chat_completions")(fetch);
      for (let count = 0; count < 2; count++)
        assert.equal(await (await trying(`${BASE}/chat/completions`)).text(), "data: {}");
      assert.deepEqual(asked, ["/chat/completions", "/v1/chat/completions", "/v1/chat/completions"]);
    });

  const here: Record<string, () => Response> = {
    "an answer": STREAM,
    "a refusal of the model": () => Response.json({ error: "The model m does not exist" }, { status: 404 }),
    "a refusal of the key": () => Response.json({ error: "no" }, { status: 401 }),
    "an error in JSON": () => Response.json({ error: "overloaded" }),
  };
  for (const [what, answer] of Object.entries(here))
    test(`at which is ${what} is asked as it is, and the answer is whole`, async () => {
      const { fetch, asked } = server({ "/chat/completions": answer });
      const response = await createVersionTrial(BASE, "chat_completions")(fetch)(`${BASE}/chat/completions`);
      const expected = answer();
      assert.equal(response.status, expected.status);
      assert.equal(await new Response(response.body).text(), await expected.text());
      assert.deepEqual(asked, ["/chat/completions"]);
    });

  test("with nothing at either address keeps its first answer", async () => {
    const { fetch, asked } = server({});
    const response = await createVersionTrial(BASE, "responses")(fetch)(`${BASE}/responses`);
    assert.deepEqual([response.status, asked], [404, ["/responses", "/v1/responses"]]);
  });

  test("gets the version of its wire format; one that has a version is asked as it is", async () => {
    const { fetch, asked } = server({});
    await createVersionTrial(BASE, "gemini")(fetch)(`${BASE}/models/m:streamGenerateContent`);
    await createVersionTrial(`${BASE}/v4`, "chat_completions")(fetch)(`${BASE}/v4/chat/completions`);
    await createVersionTrial(BASE, "anthropic_messages")(fetch)(`${BASE}/v1/messages`);
    const gemini = ["/models/m:streamGenerateContent", "/v1beta/models/m:streamGenerateContent"];
    assert.deepEqual(asked, [...gemini, "/v4/chat/completions", "/v1/messages"]);
  });
});
