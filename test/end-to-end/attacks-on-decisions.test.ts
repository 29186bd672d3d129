/** A small sample of `npm run stress -- attacks`, with seeds that found problems before: approvals, clients and the journal. */
import { sampleAttacks } from "../stress/attacks/sample.ts";

sampleAttacks("approvals, clients and the journal", {
  "a config that changes": 18,
  "answers typed ahead": 21,
  "a swapped request": 8,
  "always, elsewhere": 23,
  "forged answers": 24,
  "other clients' runs": 100,
  "a forged journal": 100,
});
