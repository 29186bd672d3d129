/**
 * The floor: the same HTTP traffic through the global `fetch` and nothing else. Argument: a file with a `FloorOrder`.
 */
import { readFileSync } from "node:fs";
import { measure } from "./measurement.ts";
import { KEY } from "./scenario.ts";

/** `bodies`: a child's request bodies, in order. */
export type FloorOrder = { url: string; bodies: string[]; children: number; warm: boolean };

const { url, bodies, children, warm }: FloorOrder = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8"));

if (warm) await child();
await measure(async () => {
  await Promise.all(Array.from({ length: children }, child));
});

async function child(): Promise<void> {
  for (const body of bodies) {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${KEY}` },
      body,
    });
    const text = await response.text();
    if (!text.trimEnd().endsWith("data: [DONE]")) throw new Error(`${response.status}: ${text.slice(0, 300)}`);
  }
}
