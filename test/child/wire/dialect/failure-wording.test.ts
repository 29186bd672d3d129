/** Error responses of vendors, gateways and local servers, and the kind of failure that each means. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { APICallError } from "@ai-sdk/provider";
import fc from "fast-check";
import { FAILURE_WORDINGS } from "../../../../src/child/wire/dialect/failure-wording.ts";
import { failureOf } from "../../../../src/child/wire/failure/failure.ts";
import type { Failure, FailureKind } from "../../../../src/errors.ts";
import { ERROR_RESPONSES, errorBody } from "../../../support/error-responses.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

function read(error: unknown): Failure {
  return failureOf(error, "glm-4.7 @ vendor", NOW, (text) => text);
}

function refusal(statusCode: number, body: unknown, responseHeaders: Record<string, string> = {}): Failure {
  const responseBody = typeof body === "string" ? body : JSON.stringify(body);
  const fields = { message: "Status text", url: "https://vendor.test", requestBodyValues: undefined };
  return read(new APICallError({ ...fields, statusCode, responseHeaders, responseBody }));
}

for (const [kind, responses] of Object.entries(ERROR_RESPONSES))
  describe(`${kind} is recognized in`, () => {
    for (const [who, status, body] of responses)
      test(who, () => {
        const { kind: found, message } = refusal(status, body);
        assert.equal(found, kind, message);
      });
  });

test("an error within a stream is read by the same words", () => {
  for (const [kind, responses] of Object.entries(ERROR_RESPONSES)) {
    if (kind === "invalid-request" || kind === "overloaded") continue;
    for (const [who, , body] of responses) {
      if (body === "" || who === "anyone" || who.includes("bytes") || who.includes("that may not") || who === "StepFun")
        continue;
      assert.equal(read(body).kind, kind, who);
    }
  }
});

test("the wait that is named for a used-up day is kept", () => {
  const daily = errorBody(
    "Rate limit reached on tokens per day (TPD): Limit 9, Used 9. Please try again in 15m37.44s.",
  );
  assert.equal(refusal(429, daily).retryAfterMs, 937_440);
  assert.equal(refusal(429, errorBody("Your quota will reset after 12h34m16s.")).retryAfterMs, 45_256_000);
});

test("a rate that is free again only after ten minutes is a quota, whatever it is called", () => {
  const limited = errorBody("Rate limit reached.");
  assert.equal(refusal(429, limited, { "retry-after": "30" }).kind, "rate-limited");
  assert.equal(refusal(429, limited, { "retry-after": "18000" }).kind, "quota-exhausted");
  const daily = { "x-ratelimit-remaining-requests-day": "0", "x-ratelimit-reset-requests-day": "33011" };
  assert.equal(refusal(429, limited, daily).kind, "quota-exhausted");
});

test("a request that can never fit is not reported as longer than the context window", () => {
  const { message } = refusal(429, errorBody("Request too large on tokens per min (TPM): Limit 6000, Requested 9000."));
  assert.match(message, /does not allow a request of this size.*Limit 6000, Requested 9000/);
});

describe("a provider's own words stay readable", () => {
  const WORDS: [shape: string, status: number, body: unknown, words: RegExp][] = [
    ["an object", 400, errorBody("Not so."), /\(400: Not so\.\)/],
    ["a list", 400, [errorBody("Not so.")], /\(400: Not so\.\)/],
    ["text beside a code", 400, { code: "x", error: "Not so." }, /\(400: Not so\.\)/],
    ["a title and words", 400, { statusCode: 400, error: "Bad Request", message: "Not so." }, /Bad Request: Not so\./],
    ["FastAPI's details", 422, { detail: [{ loc: ["body"], msg: "Not so." }] }, /\(422: Not so\.\)/],
    ["Cloudflare's list", 400, { success: false, errors: [{ code: 7003, message: "Not so." }] }, /Not so\./],
    ["plain text", 400, "Not so.", /\(400: Not so\.\)/],
    ["no known field", 400, { oops: "Not so." }, /400: .*Not so\./],
    [
      "what is behind a gateway",
      502,
      errorBody("Provider returned error", { metadata: { raw: "Not so." } }),
      /Provider returned error: Not so\./,
    ],
  ];
  for (const [shape, status, body, words] of WORDS)
    test(`as ${shape}`, () => assert.match(refusal(status, body).message, words));
});

describe("a web page", () => {
  const page = (title: string, body = "") =>
    `<!DOCTYPE html>\n<html><head><title>${title}</title></head><body>${body}</body></html>`;
  const PAGES: [status: number, kind: FailureKind][] = [
    [403, "unauthorized"],
    [401, "unauthorized"],
    [404, "invalid-request"],
    [429, "rate-limited"],
    [413, "context-overflow"],
    [502, "overloaded"],
    [524, "overloaded"],
  ];
  for (const [status, kind] of PAGES)
    test(`with status ${status} is ${kind}, whatever its text, and its title is named`, () => {
      const body = "<h1>You have been blocked. Your daily limit: insufficient balance, content policy</h1>";
      const failure = refusal(status, page("Attention Required! | Cloudflare", body));
      assert.equal(failure.kind, kind);
      assert.match(failure.message, /web page.*Attention Required! \| Cloudflare/);
    });

  test("without a title is called a web page too", () => {
    assert.match(refusal(502, "<html><body>Bad gateway</body></html>").message, /a web page .*\(502\)/);
  });

  test("is not recognized in a JSON answer that mentions one", () => {
    assert.equal(refusal(400, errorBody("<html> in a prompt is rejected by our safety system")).kind, "refused");
  });
});

test("every wording has a separate row with its vendor and its source", () => {
  for (const { says, of, source } of FAILURE_WORDINGS) {
    assert.ok(of !== "" && source !== "", String(says));
    assert.equal(says.flags, "", `${says} is matched against text in lower case`);
    assert.doesNotMatch(says.source, /(?<!\\)[A-Z]/, `${says} is matched against text in lower case`);
  }
});

test("whatever a provider sends, it is a failure with a message", () => {
  const body = fc.oneof(
    fc.json(),
    fc.string(),
    fc.constant("<html"),
    fc.json().map((json) => `[${json}]`),
  );
  fc.assert(
    fc.property(fc.integer({ min: 200, max: 599 }), body, (status, body) => {
      const failure = refusal(status, body);
      assert.ok(failure.message.startsWith("glm-4.7 @ vendor"));
    }),
  );
  fc.assert(fc.property(fc.anything(), (error) => assert.ok(read(error).message !== "")));
});
