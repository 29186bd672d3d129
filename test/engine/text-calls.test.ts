// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/** Models behind servers without a parser for their calls: over HTTP, in each wire format. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { API_MODES } from "../../src/route.ts";
import type { ModelRequest, Script } from "../../src/testing/index.ts";
import { BASE_PATH } from "../../src/testing/request-target.ts";
import { endings, play } from "../support/whole-stage.ts";

const stepOf = ({ messages }: ModelRequest) => messages.filter(({ role }) => role === "assistant").length + 1;
const files = { "work/a.txt": "the answer is 42\n" };
const CALL = '<tool_call>\n{"name": "read_file", "arguments": {"path": "a.txt"}}\n</tool_call>';

for (const mode of API_MODES)
  describe(mode, () => {
    const config = {
      providers: {
        acme: {
          base_url: `\${ACME_URL}${BASE_PATH[mode]}`,
          api_key: "${ACME_KEY}",
          api_mode: mode,
          default_model: "acme-1",
        },
      },
    };

    test("a call in the text is run, and goes back as a call", async () => {
      const script: Script = (request) => (stepOf(request) === 1 ? { text: `I read it.\n${CALL}` } : { text: "42" });
      const played = await play({ goal: "Read." }, { config, files, script });
      assert.deepEqual(endings(played), ["completed"], JSON.stringify(played.results[0]?.error));
      const [result] = played.results;
      assert.deepEqual([result?.summary, result?.quirks], ["42", { text_call: 1 }]);
      assert.deepEqual(
        result?.tool_trace.map(({ name, target, ok }) => [name, target, ok]),
        [["read_file", "a.txt", true]],
      );
      const [, answer, outcome] = played.requests[1]?.messages ?? [];
      assert.equal(answer?.text.trim(), "I read it.");
      assert.deepEqual(
        answer?.toolCalls.map(({ name, input }) => [name, input]),
        [["read_file", { path: "a.txt" }]],
      );
      assert.match(outcome?.toolResults[0]?.text ?? "", /the answer is 42/);
    });

    test("a call that cannot be read is answered with how to call", async () => {
      const script: Script = (request) =>
        stepOf(request) === 1 ? { text: '<tool_call>\n{"name": "read_file", "arguments": {"pa' } : { text: "42" };
      const played = await play({ goal: "Read." }, { config, files, script });
      assert.deepEqual([endings(played), played.results[0]?.quirks], [["completed"], { unreadable_call: 1 }]);
      assert.match(played.requests[1]?.lastUserText ?? "", /Call tools only through the tool interface/);
    });

    test("an explanation of calls stays an answer", async () => {
      const text = `Qwen writes calls like this:\n\`\`\`\n${CALL}\n\`\`\``;
      const played = await play({ goal: "Explain." }, { config, script: () => ({ text }) });
      assert.deepEqual([endings(played), played.results[0]?.summary], [["completed"], text]);
      assert.equal(played.results[0]?.quirks, undefined);
    });
  });
