// Watches a run as it happens, and decides on the approval requests of its children. Needs ZAI_API_KEY.
//   node examples/11-watch-events.ts          in a clone of Deputy, first: npm run build
import { createDeputy } from "deputize";

const deputy = createDeputy({ parent: { provider: "zai", model: "glm-4.7" } });
const run = await deputy.start(
  [
    { goal: "Say in one sentence what is in this directory.", toolsets: ["file", "search"] },
    { goal: "Say when the last commit was made.", toolsets: ["terminal"], timeout_seconds: 120 },
  ],
  {
    permissions: [{ tool: "terminal", match: "git log *", then: "allow" }],
    asker: async ({ childId, toolName, target }) => {
      console.log(`${childId} asked for ${toolName}: ${target}`);
      return { allowed: false, reason: "Only git log is allowed here." };
    },
  },
);
for await (const event of run.events) {
  if (event.kind === "tool-start") console.log(`${event.childId} runs ${event.name} ${event.target}`);
  if (event.kind === "step-end") console.log(`${event.childId} has used ${event.usage?.output ?? "?"} tokens`);
  if (event.kind === "child-end") console.log(`${event.childId} is ${event.ending.status}: ${event.ending.text}`);
}
const { total_duration_seconds } = await run.result;
console.log(`${run.id} took ${total_duration_seconds.toFixed(1)} s. To see it again: deputy show ${run.id}`);
await deputy.close();
