/** The fault matrix for a page: the table that the tests use, with the reaction from the table of retry rules. */
import { RETRY_RULES } from "../../src/engine/limits/retry-policy.ts";
import type { ApiMode } from "../../src/route.ts";
import { type Cost, FAULT_MATRIX, type FaultCase } from "../../test/support/fault-matrix.ts";
import { code, markdownTable } from "./table.ts";

const COSTS: Record<Cost, string> = {
  none: "none",
  told: "as reported by the provider",
  "so far": "as reported so far: `estimated`",
  maybe: "not reported: `estimated` or `unknown`",
};

export function faultMatrix(): string {
  return markdownTable(
    ["fault", "kind", "next action", "message", "cost"],
    Object.entries(FAULT_MATRIX).map(([what, fault]) => [
      what,
      perMode(fault, ({ kind }) => (kind === undefined ? "" : code(kind))),
      perMode(fault, whatFollows),
      perMode(fault, ({ words }) => (words === undefined ? "" : `“${words}…”`)),
      perMode(fault, ({ cost }) => COSTS[cost]),
    ]),
  );
}

function whatFollows({ kind, words, partial }: FaultCase): string {
  if (kind === undefined)
    return words === undefined ? "Deputy accepts the answer" : "the child gets the message and continues";
  const { tries } = RETRY_RULES[kind];
  const kept = partial ? "; the partial answer is kept" : "";
  return `${tries === 1 ? "no retry" : `${tries} tries`}, then a fallback${kept}`;
}

/** The text common to all API modes, followed by the differences. */
function perMode(fault: FaultCase, say: (fault: FaultCase) => string): string {
  const usual = say(fault);
  const others = (Object.entries(fault.in ?? {}) as [ApiMode, Partial<FaultCase>][])
    .map(([mode, differing]) => [mode, say({ ...fault, ...differing })] as const)
    .filter(([, said]) => said !== usual);
  return [usual, ...others.map(([mode, said]) => `${code(mode)}: ${said}`)].filter(Boolean).join("<br>");
}
