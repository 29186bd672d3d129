// A model of the AI SDK delegates with Deputy as its tool. Needs the packages ai and @ai-sdk/openai,
// OPENAI_API_KEY for the model, and ZAI_API_KEY for its children.
//   node examples/13-ai-sdk-tool.ts      in a clone of Deputy, first: npm run build
import { openai } from "@ai-sdk/openai";
import { generateText, isStepCount } from "ai";
import { createDeputy } from "deputize";
import { delegateTaskTool } from "deputize/ai-sdk";

const deputy = createDeputy({ parent: { provider: "zai" } });
const { text } = await generateText({
  model: openai("gpt-6-sol"),
  tools: { delegate_task: await delegateTaskTool(deputy, { maxCostUsd: 1 }) },
  stopWhen: isStepCount(5),
  prompt: "Please delegate a haiku on two animals, and tell me which is better.",
});
console.log(text);
await deputy.close();
