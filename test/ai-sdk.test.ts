/** `deputize/ai-sdk`: the AI SDK's own loop, with a model that reads the tool's schema and delegates accordingly. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, isStepCount } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { type DelegateOutput, delegateTaskTool } from "../src/ai-sdk.ts";
import { createDeputy } from "../src/engine/deputy.ts";
import { createMemoryJournal } from "../src/testing/index.ts";
import { chatPlace, heldBack } from "./support/chat-place.ts";
import { until } from "./support/command-line.ts";

type Place = Awaited<ReturnType<typeof chatPlace>>;

function deputyAt({ env, cwd }: Place) {
  return createDeputy({ env, cwd, journal: createMemoryJournal() });
}

/** The parent's model as a program of the AI SDK creates it, independent of Deputy. */
function parentModel({ providers }: Place) {
  const baseURL = providers.server("zai").baseUrl("chat_completions");
  return createOpenAICompatible({ name: "parent", baseURL, apiKey: providers.keys.zai ?? "" })("parent-model");
}

describe("delegate_task as a tool of the AI SDK", { timeout: 110_000 }, () => {
  test("delegates what its model asks for, each task on its own model, and hands the results back", async (t) => {
    const place = await chatPlace(t);
    const deputy = deputyAt(place);
    const { text, steps } = await generateText({
      model: parentModel(place),
      tools: { delegate_task: await delegateTaskTool(deputy) },
      stopWhen: isStepCount(3),
      prompt:
        "in parallel delegate a haiku on two animals to glm-4.7 via zai and stepfun/step-3.5-flash via openrouter",
    });
    assert.match(text, /Haiku of glm-4\.7: the lion.*\nHaiku of stepfun\/step-3\.5-flash: the falcon/);
    assert.deepEqual(place.children(), ["glm-4.7 @ zai", "stepfun/step-3.5-flash @ openrouter"]);
    const [result] = steps.flatMap(({ toolResults }) => toolResults);
    const output = result?.output as DelegateOutput | undefined;
    assert.deepEqual(
      output?.report?.results.map(({ served_models }) => served_models),
      [["glm-4.7"], ["stepfun/step-3.5-flash"]],
    );
    await deputy.close();
  });

  test("returns the errors of a call to its model, which can correct them", async (t) => {
    const place = await chatPlace(t);
    const deputy = deputyAt(place);
    const { text } = await generateText({
      model: parentModel(place),
      tools: { delegate_task: await delegateTaskTool(deputy) },
      stopWhen: isStepCount(4),
      prompt: "delegate a haiku about a crow to glm-4.7 via zaii",
    });
    assert.match(text, /Haiku of glm-4\.7: the crow/);
    assert.deepEqual(place.children(), ["glm-4.7 @ zai"]);
    await deputy.close();
  });

  test("offers the fields of a task in its schema, and the user's providers in its description", async (t) => {
    const place = await chatPlace(t);
    const deputy = deputyAt(place);
    const delegate_task = await delegateTaskTool(deputy);
    const model = new MockLanguageModelV4({
      doGenerate: {
        content: [{ type: "text", text: "no need" }],
        finishReason: { unified: "stop", raw: "stop" },
        usage: {
          inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
          outputTokens: { total: 1, text: 1, reasoning: 0 },
        },
        warnings: [],
      },
    });
    await generateText({ model, tools: { delegate_task }, prompt: "hello" });
    const [offered] = model.doGenerateCalls[0]?.tools ?? [];
    assert.ok(offered?.type === "function");
    assert.match(offered.description ?? "", /Providers with a key: .*zai/);
    assert.ok(Object.hasOwn(offered.inputSchema.properties ?? {}, "tasks"));
    await deputy.close();
  });

  test("stops the children where the generation is aborted", async (t) => {
    const { script, letGo } = heldBack();
    const place = await chatPlace(t, { script });
    const deputy = deputyAt(place);
    const { run } = await deputy.tool();
    const abort = new AbortController();
    const running = run({ goal: "Write a haiku about a newt." }, abort.signal);
    await until(() => place.children().length === 1);
    abort.abort();
    const { ok, report } = await running;
    assert.deepEqual([ok, report?.results.map(({ status }) => status)], [true, ["interrupted"]]);
    letGo();
    await deputy.close();
  });

  test("binds its model to what the user allows a model to choose", async (t) => {
    const place = await chatPlace(t, { config: 'delegation: { allow: ["zai/*"] }\n' });
    const deputy = deputyAt(place);
    const { run } = await deputy.tool();
    const { ok, text } = await run({ goal: "x", model: "stepfun/step-3.5-flash", provider: "openrouter" });
    assert.equal(ok, false);
    assert.match(text, /delegation\.allow|allowed|zai/);
    const mistaken = await run({ gaol: "x" });
    assert.deepEqual([mistaken.ok, /Did you mean `goal`/.test(mistaken.text)], [false, true]);
    await deputy.close();
  });
});
