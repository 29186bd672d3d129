import assert from "node:assert/strict";
import { test } from "node:test";
import { isSameModel } from "../../../../src/child/wire/reply/served-model.ts";

/** Two spellings of one model, as vendors and gateways write them. */
const SAME = `
anthropic/claude-opus-4.7        anthropic/claude-4.7-opus-20260416
anthropic/claude-haiku-4.5       claude-haiku-4-5-20251001
claude-opus-4-7                  us.anthropic.claude-opus-4-7-20260416-v1:0
claude-sonnet-4-5                global.anthropic.claude-sonnet-4-5-20250929-v1:0
claude-3-5-sonnet-20241022       anthropic.claude-3-5-sonnet-20241022-v2:0
claude-3-5-sonnet                claude-3-5-sonnet-v2@20241022
claude-opus-4-0                  claude-opus-4-20250514
claude-3-7-sonnet-latest         claude-3-7-sonnet-20250219
~anthropic/claude-opus-latest    anthropic/claude-4.7-opus-20260416
gpt-5.5                          openai/gpt-5.5-20260423
gpt-5.5-2026-04-23               openai/gpt-5.5-20260423
gpt-4                            gpt-4-0613
gpt-35-turbo                     gpt-3.5-turbo-0125
grok-4                           grok-4-0709
moonshotai/kimi-k2-0905          kimi-k2-20250905
kimi-k2                          moonshotai/Kimi-K2-0905
qwen/qwen3-235b-a22b-2507        qwen/qwen3-235b-a22b-07-25
qwen3-max                        qwen3-max-2025-09-23
mistral-large-latest             mistral-large-2512
mistral-small-2503               mistral-small
command-r-plus                   command-r-plus-08-2024
doubao-seed-1-6                  doubao-seed-1.6-250615
gemini-2.0-flash                 gemini-2.0-flash-001
gemini-2.5-pro                   gemini-2.5-pro-preview-05-06
gemini-2.0-flash                 gemini-2.0-flash-exp
gemini-2.5-flash                 models/gemini-2.5-flash-preview-09-2025
gemini-flash-latest              gemini-3.8-flash
gemini-3.8-flash                 publishers/google/models/gemini-3.8-flash
glm-4.7                          accounts/fireworks/models/glm-4p7
deepseek-v3.1                    accounts/fireworks/models/deepseek-v3p1
deepseek-r1                      deepseek.r1-v1:0
deepseek-r1-0528                 deepseek-ai/DeepSeek-R1-0528-maas
openai/gpt-oss-120b              openai.gpt-oss-120b-1:0
llama-3.3-70b-instruct           @cf/meta/llama-3.3-70b-instruct
meta-llama/Meta-Llama-3.1-8B-Instruct  hf:meta-llama/Llama-3.1-8B-Instruct
meta.llama3-1-70b-instruct-v1:0  llama-3.1-70b-instruct
openai/gpt-oss-120b              gpt-oss-120b
openai/gpt-oss-120b:nitro        openai/gpt-oss-120b
z-ai/glm-4.7:exacto              glm-4.7
gpt-oss:120b-cloud               gpt-oss:120b
qwen3                            qwen3:latest
qwen3:8b                         Qwen/Qwen3-8B
qwen3:8b                         qwen3:8b-q4_K_M
Qwen/Qwen3-32B                   /models/Qwen3-32B-Q4_K_M.gguf
Qwen/Qwen3-32B                   C:\\models\\Qwen3-32B-Q8_0-00001-of-00002.gguf
Qwen/Qwen3-32B                   /cache/hub/models--Qwen--Qwen3-32B/snapshots/9216db5781bf21249d130ec9da846c4624c16137
Qwen3-32B-GGUF:Q4_K_M            hf.co/unsloth/Qwen3-32B-GGUF:Q4_K_M
Qwen/Qwen3-32B-FP8               qwen3-32b
glm-4.7                          zai-org/GLM-4.7-FP8
glm-4.7                          z-ai/GLM-4.7-2026-01-31
Llama-3.3-70B-Instruct           llama-3.3-70b
meta-llama/Llama-3.3-70B-Instruct  llama3.3-70b
meta-llama/Llama-3.3-70B-Instruct  llama-3.3-70b-versatile
meta-llama/Llama-3.3-70B-Instruct  meta-llama/Llama-3.3-70B-Instruct-Turbo
meta-llama/Llama-3.3-70B-Instruct  accounts/fireworks/models/llama-v3p3-70b-instruct
meta-llama/Llama-3.3-70B-Instruct  us.meta.llama3-3-70b-instruct-v1:0
meta-llama/Llama-3.3-70B-Instruct  meta/llama-3.3-70b-instruct
meta-llama/Llama-3.3-70B-Instruct  @cf/meta/llama-3.3-70b-instruct-fp8-fast
meta-llama/Llama-3.3-70B-Instruct  RedHatAI/Llama-3.3-70B-Instruct-quantized.w8a8
meta-llama/Llama-3.3-70B-Instruct  unsloth/Llama-3.3-70B-Instruct-bnb-4bit
meta-llama/Llama-3.1-8B-Instruct   llama-3.1-8b-instant
meta-llama/Llama-3.1-8B-Instruct   llama3.1-8b
meta-llama/Llama-3.1-8B-Instruct   neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8-dynamic
meta-llama/Llama-4-Scout-17B-16E-Instruct  meta-llama/llama-4-scout
llama-4-maverick                 meta-llama/Llama-4-Maverick-17B-128E-Instruct-FP8
databricks-meta-llama-3-3-70b-instruct  meta-llama-3.3-70b-instruct-121024
databricks-claude-sonnet-4       claude-sonnet-4-20250514
claude-opus-4-1@20250805         us.anthropic.claude-opus-4-1-20250805-v1:0
gemma-3-27b-it                   google/gemma-3-27b
gemma3:27b                       google_gemma-3-27b-it-Q4_K_M.gguf
Qwen/Qwen2.5-7B-Instruct         qwen2.5-7b
Qwen/Qwen1.5-7B-Chat             qwen1.5-7b
qwen3:235b                       Qwen/Qwen3-235B-A22B
qwen3-coder:480b-cloud           Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8
Qwen/Qwen3-235B-A22B-Instruct-2507-tput  qwen3-235b-a22b-2507
moonshotai/Kimi-K2-Instruct-0905 kimi-k2-0905
zai-glm-4.7                      zai-org/GLM-4.7
hf.co/bartowski/Llama-3.3-70B-Instruct-GGUF:Q4_K_M  Llama-3.3-70B-Instruct
hf.co/unsloth/Qwen3-32B-GGUF:UD-Q4_K_XL  /models/Qwen3-32B-UD-Q4_K_XL.gguf
nvidia/llama-3.1-nemotron-70b-instruct  nvidia/Llama-3.1-Nemotron-70B-Instruct-HF
`;

const OTHER = `
anthropic/claude-opus-4.7        anthropic/claude-4.6-opus-20260205
anthropic/claude-opus-4.7        anthropic/claude-4.7-sonnet-20260416
claude-3-5-sonnet-latest         claude-3-7-sonnet-20250219
claude-3-5-sonnet-20240620       claude-3-5-sonnet-20241022
claude-5-3-opus                  claude-opus-3-5
~anthropic/claude-opus-latest    anthropic/claude-4.7-sonnet-20260416
anthropic.claude-3-5-sonnet-v1:0 anthropic.claude-3-5-sonnet-v2:0
gpt-5.5                          gpt-5.5-mini
gpt-5.5                          gpt-5.4-20260305
gpt-5.5-2026-04-23               gpt-5.5-2026-06-01
gpt-4o                           gpt-4
gpt-5-codex                      gpt-5
gpt-4-1106-preview               gpt-4-0125-preview
openai/gpt-oss-120b              openai/gpt-oss-20b
gpt-oss:120b                     gpt-oss:20b-cloud
moonshotai/kimi-k2-0905          moonshotai/kimi-k2-0711
kimi-k2                          kimi-k2.5
kimi-k2-0905                     kimi-k2-thinking
qwen3-235b-a22b-instruct-2507    qwen3-235b-a22b-thinking-2507
mistral-small-2503               mistral-small-2506
mistral-large-latest             mistral-medium-2508
gemini-2.0-flash-001             gemini-2.0-flash-002
gemini-2.5-flash                 gemini-2.5-flash-lite
gemini-2.5-pro-preview-03-25     gemini-2.5-pro-preview-05-06
gemini-flash-latest              gemini-3.8-flash-lite
grok-4                           grok-4-fast
glm-4.7                          glm-4p5
deepseek-v3                      deepseek-r1
deepseek.r1-v1:0                 deepseek.v3-v1:0
Qwen/Qwen3-32B                   Qwen3-30B-A3B
qwen3:8b                         qwen3:14b
llama3:text                      llama3:instruct
Llama-3.1-8B                     Llama-3.1-8B-Instruct
Qwen3-32B-Q4_K_M                 Qwen3-32B-Q8_0
mixtral-8x7b                     mixtral-8x22b
minimax-m2.7                     minimax-m2.5
phi-3-mini-128k                  phi-3-mini-4k
meta-llama/Llama-3.1-8B          llama-3.1-8b-instruct
Qwen/Qwen2.5-7B                  Qwen/Qwen2.5-7B-Instruct
google/gemma-2-9b                google/gemma-2-9b-it
google/gemma-3-27b-pt            google/gemma-3-27b-it
Qwen/Qwen3-8B                    Qwen/Qwen3-8B-Base
meta-llama/Llama-3.3-70B-Instruct  deepseek-ai/DeepSeek-R1-Distill-Llama-70B
deepseek-ai/DeepSeek-R1          deepseek-ai/DeepSeek-R1-Distill-Llama-70B
meta-llama/Llama-3.3-70B-Instruct-Turbo  meta-llama/Llama-3.3-70B-Instruct-Lite
llama-3.3-70b                    llama-3.1-70b
llama-4-scout                    llama-4-maverick
gpt-5                            gpt-5-chat-latest
gpt-3.5-turbo                    gpt-3.5-turbo-instruct
gpt-4                            gpt-4-turbo
qwen-turbo                       qwen-plus
Qwen2.5-Coder-7B-Instruct        Qwen2.5-7B-Instruct
qwen3-235b                       qwen3-32b
Qwen3-Next-80B-A3B-Instruct      Qwen3-Next-80B-A3B-Thinking
`;

const pairsIn = (table: string) =>
  table
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s{1,}/) as [string, string]);

test("names that vendors and gateways give one model are that model, whichever of them was asked for", () => {
  for (const [one, other] of pairsIn(SAME)) {
    assert.ok(isSameModel(one, other), `${one} = ${other}`);
    assert.ok(isSameModel(other, one), `${other} = ${one}`);
  }
});

test("another version, size, tier, training, quantization or date is another model, both ways", () => {
  for (const [one, other] of pairsIn(OTHER)) {
    assert.ok(!isSameModel(one, other), `${one} ≠ ${other}`);
    assert.ok(!isSameModel(other, one), `${other} ≠ ${one}`);
  }
});

test("case, a vendor before it, a date after it and a route make no other model of any name; another name stays one", () => {
  const names = [...new Set(pairsIn(SAME + OTHER.slice(1)).flat())].filter((name) => /^[\w.-]+$/.test(name));
  const isDated = (name: string) => /\d{4}|\d\d-\d\d|latest/.test(name);
  for (const name of names) {
    const spellings = [name.toUpperCase(), `some-vendor/${name}`, `models/${name}`, `${name}:free`, `${name}:floor`];
    if (!isDated(name)) spellings.push(`${name}-20260416`, `${name}-2026-04-16`, `${name}@latest`);
    for (const spelling of spellings) {
      assert.ok(isSameModel(name, spelling), `${name} = ${spelling}`);
      assert.ok(isSameModel(spelling, name), `${spelling} = ${name}`);
    }
    for (const other of [`${name}-mini`, `tiny-${name}`, `${name}-9b`])
      assert.ok(!isSameModel(name, other) && !isSameModel(other, name), `${name} ≠ ${other}`);
  }
});

test("a route after the colon that no table knows is left out of the answer; one that was not asked for is another model", () => {
  assert.ok(isSameModel("openai/gpt-oss-120b:cerebras", "gpt-oss-120b"));
  assert.ok(isSameModel("openai/gpt-oss-120b:a-host-of-next-year", "openai/gpt-oss-120b"));
  assert.ok(!isSameModel("openai/gpt-oss-120b:groq", "openai/gpt-oss-20b"));
  assert.ok(!isSameModel("openai/gpt-oss-120b", "openai/gpt-oss-120b:groq"));
});

test("a word for chat may be left out of an open model's name, beside a vendor and a size; a size or a version may not", () => {
  for (const vendor of ["", "some-vendor/", "accounts/fireworks/models/", "/models/"])
    for (const [family, version] of [
      ["llama", "3.3"],
      ["gemma", "3"],
      ["qwen", "3"],
      ["mistral-small", "3.2"],
    ])
      for (const word of ["instruct", "it", "chat"]) {
        const name = `${vendor}${family}-${version}-24b-${word}`;
        assert.ok(isSameModel(name, `${family}${version}-24b`), name);
        assert.ok(isSameModel(`${family}-${version}-24b`, name), name);
        for (const other of ["2b", "24b-base", "24b-distill", "24b-thinking", "24b-coder"])
          assert.ok(!isSameModel(name, `${family}-${version}-${other}`), `${name} ≠ ${other}`);
        assert.ok(!isSameModel(name, `${family}-${version}.9-24b`));
      }
});

test("a deployment's own name and a router leave the model open; the same words elsewhere do not", () => {
  const azure = { baseUrl: "https://my-resource.openai.azure.com/openai/v1" };
  assert.ok(isSameModel("team-a-chat", "gpt-5.5-2026-04-23", azure));
  assert.ok(isSameModel("team-a-chat", "gpt-5.5", { baseUrl: "https://my.services.ai.azure.com/models" }));
  assert.ok(isSameModel("team-a-chat", "gpt-5.5", { provider: "azure", baseUrl: "https://gateway.example/v1" }));
  assert.ok(isSameModel("team-a", "gpt-5.5", { baseUrl: "https://apim.example/openai/deployments/team-a" }));
  assert.ok(isSameModel("projects/1/locations/us-central1/endpoints/2", "llama-3.3-70b-instruct"));
  assert.ok(isSameModel("tgi", "meta-llama/Llama-3.3-70B-Instruct"));
  assert.ok(isSameModel("arn:aws:bedrock:us-east-1:1:application-inference-profile/abc", "claude-opus-4-7"));
  assert.ok(isSameModel("openrouter/auto", "anthropic/claude-4.7-opus-20260416"));
  assert.ok(isSameModel("model-router", "gpt-5.5-mini"));
  assert.ok(!isSameModel("team-a-chat", "gpt-5.5-2026-04-23", { baseUrl: "https://api.openai.com/v1" }));
  assert.ok(!isSameModel("team-a-chat", "gpt-5.5", { baseUrl: "https://openai.azure.com.evil.example/v1" }));
  assert.ok(!isSameModel("team-a-chat", "gpt-5.5", { provider: "openai", baseUrl: "https://gateway.example/v1" }));
  assert.ok(!isSameModel("openai/gpt-5.5", "openai/gpt-5.4", { baseUrl: "https://openrouter.ai/api/v1" }));
});

test("a hostile name is compared in no time", () => {
  const started = performance.now();
  for (const part of ["models--", "-v1:0", "-20", "/", "q4_k_", "1-", "p1"])
    isSameModel("glm-4.7", part.repeat(400_000 / part.length));
  for (const part of ["models--", "-v1:0", "-20", "q4_k_", "1-", "p1"])
    isSameModel("glm-4.7", part.repeat(250 / part.length));
  assert.ok(performance.now() - started < 1_000);
});
