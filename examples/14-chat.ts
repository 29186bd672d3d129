// A program opens a conversation that delegates; another process can continue it. Needs ZAI_API_KEY.
//   node examples/14-chat.ts             in a clone of Deputy, first: npm run build
import { createDeputy } from "deputize";

const deputy = createDeputy({ parent: { provider: "zai" } });
const chat = await deputy.chat({ maxCostUsd: 2 });
for (const message of ["Please delegate a haiku about an owl.", "Which model wrote it?"]) {
  const turn = await chat.say(message);
  for await (const event of turn.events) if (event.kind === "text-delta") process.stdout.write(event.text);
  const { results } = await turn.result;
  console.log(`\n[${results[0]?.status} on ${chat.route.model} @ ${chat.route.provider}]`);
}
console.log(`Continue with: deputy chat --resume ${chat.id}`);
await deputy.close();
