/** A small sample of `npm run stress -- attacks`, with seeds that found problems before: what models and providers send. */
import { sampleAttacks } from "../stress/attacks/sample.ts";

sampleAttacks("what models and providers send", {
  "schemas and patterns": 75,
  "many calls at once": 20,
  "a stop at any moment": 12,
  "a resume that cannot go on": 11,
  "lies about usage": 13,
  "broken connections": 100,
  "control characters": 100,
});
