/**
 * Follows a run for a client that waits for it: reports progress, shows approval requests to the user, and ends in
 * time.
 */
import { type InputRequest, type InputRequiredResult, inputRequired } from "@modelcontextprotocol/server";
import type { Clock } from "../../clock.ts";
import type { ManagedRuns } from "../../engine/control/delegations.ts";
import { waitForRun } from "../../engine/control/wait.ts";
import type { Run } from "../../run/run.ts";
import type { RunListing } from "../../run/run-store.ts";
import { type ApprovalForm, approvalForms, submitDecision } from "../client/approval-forms.ts";
import { notOurs } from "../client/form-seal.ts";
import type { RequestContext } from "../client/request-context.ts";
import { createProgress, type Progress } from "./progress.ts";

export type FollowDeps = { engine: ManagedRuns; clock: Clock };

/** Thrown instead of an answer: forms for the user, which the client returns with the same call. */
export class InputRequired extends Error {
  readonly result: InputRequiredResult;
  constructor(result: InputRequiredResult) {
    super("the user is asked first");
    this.result = result;
  }
}

export type FollowedRun = { listing: RunListing; lastToldAt: number };

/**
 * @param until returns true to stop waiting
 * @returns the run at its end, when the time is up, or when a user is needed who cannot be asked from here
 * @throws InputRequired
 */
export async function follow(
  { engine, clock }: FollowDeps,
  id: string,
  ms: number,
  context: RequestContext,
  until: (run: Run) => boolean = () => false,
): Promise<FollowedRun> {
  const { onProgress, signal, resumed, sealForms, elicit, client } = context;
  const found = await engine.run(id);
  const { run: before } = found;
  const { delegationId } = before;
  if (resumed !== undefined && resumed.runId !== delegationId) throw notOurs(`it is about the run ${resumed.runId}`);
  const by = `${client.surface} (${client.name})`;
  const known = new Set([...approvalForms(before).map(({ request }) => request), ...(resumed?.shown ?? [])]);
  const toShow: ApprovalForm[] = [];
  let progress: Progress | undefined;

  /** @returns whether the call has to end to show the request */
  function show(run: Run): boolean {
    const forms = approvalForms(run);
    if (sealForms !== undefined) {
      toShow.splice(0, toShow.length, ...forms.filter(({ request }) => !resumed?.shown.includes(request)));
      return toShow.length > 0;
    }
    if (elicit === undefined) return forms.some(({ request }) => !known.has(request));
    for (const open of forms) {
      if (client.shown.has(open.request)) continue;
      client.shown.add(open.request);
      elicit(open.form, Math.max(1, open.answerBy - clock.now()))
        .then((answer) => submitDecision(engine, open, answer, by))
        .catch(() => {}); // The client cannot show it after all: the request stays pending for others until it expires.
    }
    return false;
  }

  try {
    if (onProgress !== undefined) progress = createProgress(onProgress, clock);
    await Promise.all(
      approvalForms(before).map((open) => submitDecision(engine, open, resumed?.forms[open.request], by)),
    );
    const onRun = (run: Run) => {
      progress?.onRun(run);
      return until(run) || show(run);
    };
    const listing = await waitForRun(engine, found, { ms, clock, onRun }, signal);
    const open = toShow.filter(({ request }) => approvalForms(listing.run).some((still) => still.request === request));
    if (sealForms !== undefined && open.length > 0) {
      const until = Math.max(...open.map(({ answerBy }) => answerBy));
      const asked = open.map(({ request }) => request);
      throw new InputRequired(
        inputRequest(open, sealForms({ runId: delegationId, asked, shown: resumed?.shown ?? [], until })),
      );
    }
    return { listing, lastToldAt: progress?.lastToldAt() ?? context.startedAt };
  } finally {
    progress?.stop();
  }
}

function inputRequest(open: ApprovalForm[], requestState: string): InputRequiredResult {
  const requests = open.map(({ request, form }): [string, InputRequest] => [
    request,
    inputRequired.elicit({ mode: "form", ...form }),
  ]);
  return inputRequired({ inputRequests: Object.fromEntries(requests), requestState });
}
