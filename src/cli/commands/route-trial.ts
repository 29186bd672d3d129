/** Findings of a route's trial: what works, and what differs from what Deputy expects. */
import type { RouteTrial, TrialAnswer } from "../../engine/setup/try-route.ts";
import { formatRoute, plural } from "../terminal/format.ts";

/** `bad`: a run would fail because of it. `note`: for information. */
export type Finding = { state: "good" | "note" | "bad"; about: string; text: string };

const PLEASE_REPORT = "Please report it: Deputy does not know this of the endpoint.";

export function findingsOf({ route, keyName, answers, failure }: RouteTrial): Finding[] {
  const about = route.model;
  const good = (text: string): Finding => ({ state: "good", about, text });
  const note = (text: string): Finding => ({ state: "note", about, text });
  const bad = (text: string): Finding => ({ state: "bad", about, text });
  const [first] = answers;
  const last = answers.at(-1);
  const key = keyName === undefined ? "without a key" : `with ${keyName}`;
  const failed = failure && bad(answers.length === 0 ? failure.message : `after a tool call: ${failure.message}`);
  if (first === undefined || last === undefined) return failed === undefined ? [] : [failed];
  return [
    good(`${formatRoute(route)} answers ${key}: ${answers.map(inSeconds).join(", then ")}`),
    ...toolFindings(route.facts.tools !== false, first, { good, note, bad }),
    ...(failed === undefined ? textFindings(last, { good, note }) : [failed]),
    answers.every(({ usage }) => usage !== undefined)
      ? good(usageText(answers))
      : note("reports no usage, so its requests count their worst case in budgets"),
    servedFinding(last, { good, note }),
    ...(answers.some(({ hasReasoning }) => hasReasoning) && failed === undefined
      ? [good("reasons, and accepts its reasoning back")]
      : []),
    ...answers.flatMap(({ warnings }) => warnings.map((text) => note(`${text} ${PLEASE_REPORT}`))),
  ];
}

type Say = (text: string) => Finding;

function toolFindings(takesTools: boolean, { call }: TrialAnswer, { good, note, bad }: Record<Finding["state"], Say>) {
  if (!takesTools) return [note("is known not to call tools, so none was offered")];
  const findings = {
    made: good("calls the tool as asked"),
    none: note("answered without calling the tool it was asked to call"),
    malformed: bad("calls the tool with other arguments than it was asked for"),
  };
  return [findings[call]];
}

function textFindings({ text }: TrialAnswer, { good, note }: { good: Say; note: Say }): Finding[] {
  if (/river/i.test(text)) return [good("answers with the result of the tool")];
  return [note(`answered ${JSON.stringify(text.trim().slice(0, 80))} instead of "river"`)];
}

function servedFinding({ servedModel, isSameModel }: TrialAnswer, { good, note }: { good: Say; note: Say }): Finding {
  if (servedModel === undefined) return note("does not name the model in its responses");
  return isSameModel
    ? good(`its responses name ${servedModel}`)
    : note(`its responses name ${servedModel}, which is another model. ${PLEASE_REPORT}`);
}

function usageText(answers: readonly TrialAnswer[]): string {
  const sum = (field: "input" | "output" | "cached" | "reasoning") =>
    answers.reduce((total, { usage }) => total + (usage?.[field] ?? 0), 0);
  const parts = [`${sum("input")} tokens in (${sum("cached")} cached)`, `${sum("output")} out`];
  if (sum("reasoning") > 0) parts.push(`${sum("reasoning")} of them reasoning`);
  return `reports its usage: ${parts.join(", ")} in ${plural(answers.length, "request")}`;
}

function inSeconds({ durationMs }: TrialAnswer): string {
  return `${(durationMs / 1000).toFixed(1)} s`;
}
