/** Amazon's signatures, compared with those of another implementation (aws4fetch 1.0.20) for the same requests. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { awsCredentialsIn, awsHeaders } from "../../../src/child/wire/aws-signature.ts";

const KEY = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const BODY = JSON.stringify({ messages: [{ role: "user", content: [{ text: "Hallo, wörld ✓" }] }] });

const VECTORS: [url: string, sessionToken: string | undefined, region: string, signature: string][] = [
  [
    "https://bedrock-runtime.eu-west-1.amazonaws.com/model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream",
    "a-session-token/with+signs==",
    "eu-west-1",
    "be4c5feee93e1e90ee7bb77b2a5a59df4347616298dcc2e9e35b2eded84e2689",
  ],
  [
    "https://bedrock-runtime.us-gov-west-1.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123%3Ainference-profile%2Fx(y)'z/converse-stream?b=2&a=%20x",
    undefined,
    "us-gov-west-1",
    "92d3f6d46c68b42a1ffec2f5d561c547b7610f29f4e475c952165987de72a3af",
  ],
];

for (const [url, sessionToken, region, signature] of VECTORS)
  test(`a request is signed for ${region}, the region of its host`, () => {
    const credentials = { ...KEY, region: "another-region", ...(sessionToken !== undefined && { sessionToken }) };
    const headers = { "content-type": "application/json", accept: "*/*" };
    const request = { url: new URL(url), init: { method: "POST", body: BODY }, headers };
    const signed = awsHeaders(credentials, request, new Date("2026-01-02T03:04:05.678Z"));
    const names = [
      "content-type",
      "host",
      "x-amz-date",
      ...(sessionToken === undefined ? [] : ["x-amz-security-token"]),
    ];
    assert.deepEqual(signed, {
      "x-amz-date": "20260102T030405Z",
      ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
      authorization: `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/${region}/bedrock/aws4_request, SignedHeaders=${names.join(";")}, Signature=${signature}`,
    });
  });

test("only a document with both parts of a key signs; any other key is shown as it is", () => {
  for (const key of ["sk-plain", "{not json", "{}", '{"AccessKeyId":"A"}', '["AccessKeyId"]'])
    assert.equal(awsCredentialsIn(key), undefined);
});
