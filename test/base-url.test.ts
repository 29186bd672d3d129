/** Keys in the path of a base URL. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseBaseUrl } from "../src/base-url.ts";
import { readDocument } from "../src/config/document.ts";

describe("a base URL", () => {
  const KEYS = ["sk-ant-abc123def456ghi789", "Zk3q9TxB7mWn2RvY5cHd8LpJ", "sk%2Dant%2Dabc123def456ghi789"];
  for (const key of KEYS)
    for (const url of [`https://gw.example/${key}`, `https://gw.example/v1/${key}/`, `gw.example/a/${key}/v1`])
      test(`is refused with a key in its path, which is not shown: ${url}`, () => {
        assert.ok("expected" in parseBaseUrl(url));
        const read = readDocument("c.yaml", `providers:\n  lab: { base_url: "${url}" }\n`);
        assert.ok("errors" in read && !read.errors.join().includes(key));
      });

  for (const url of [
    "https://gateway.ai.cloudflare.com/v1/0a1b2c3d4e5f60718293a4b5c6d7e8f9/my-gateway/openai",
    "https://api.example/v2/123e4567-e89b-12d3-a456-426614174000/openai/v1",
    "https://my-resource.openai.azure.com/openai/deployments/gpt-4o-mini-2024-07-18",
  ])
    test(`may name an account or a deployment in its path: ${url}`, () => {
      assert.ok("url" in parseBaseUrl(url));
    });
});
