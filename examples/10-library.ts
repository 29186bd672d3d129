// Deputy as a library: tasks in, results out. Needs ZAI_API_KEY and OPENROUTER_API_KEY.
//   node examples/10-library.ts          in a clone of Deputy, first: npm run build
import { createDeputy } from "deputize";

const deputy = createDeputy({ parent: { provider: "zai", model: "glm-4.7" } });
const { results, total_cost_usd } = await deputy.delegate({
  context: "Three lines, five, seven and five syllables.",
  tasks: [
    { goal: "Write a haiku about a lion." },
    { goal: "Write a haiku about a falcon.", model: "stepfun/step-3.5-flash", provider: "openrouter" },
  ],
});
for (const { status, summary, route, error } of results) {
  console.log(`${route?.effective.model} @ ${route?.effective.provider}: ${status}`);
  console.log(error === null ? summary : error.message);
}
console.log(total_cost_usd === null ? "cost unknown" : `$${total_cost_usd.toFixed(4)}`);
await deputy.close();
