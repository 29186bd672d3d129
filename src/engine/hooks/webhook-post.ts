/** Posts a notification to the webhook, once more if that may help, and reads whether the response denies the request. */
import type { Clock } from "../../clock.ts";
import { errorMessage } from "../../errors.ts";
import { jsonLine } from "../../text/printed-json.ts";
import { shortLine } from "../../text/short-line.ts";
import { isRecord } from "../../values/record.ts";
import type { CallWebhook, WebhookAnswer } from "../setup/webhook.ts";
import type { Notification } from "./notification.ts";

/** `denied`: the reason that the receiver gave. `problem`: the end of a sentence. */
export type WebhookOutcome = { denied?: string; problem?: string };

/** Wait before the second attempt, in milliseconds. */
const PAUSE_MS = 1_000;
/** Longest reason that is passed on, in characters. */
const MAX_REASON = 500;

/** Never rejects. @param timeoutMs for one attempt @param signal nobody needs the response any more */
export async function postToWebhook(
  call: CallWebhook,
  { id, payload }: Pick<Notification, "id" | "payload">,
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
  signal: AbortSignal,
): Promise<WebhookOutcome> {
  const body = jsonLine(payload);
  const attempt = async (): Promise<WebhookAnswer | { error: string }> => {
    const tooLate = new AbortController();
    const cancel = clock.after(timeoutMs, () => tooLate.abort(new Error(`no response within ${timeoutMs / 1000} s`)));
    try {
      return await call({ id, body }, AbortSignal.any([signal, tooLate.signal]));
    } catch (error) {
      return { error: tooLate.signal.aborted ? errorMessage(tooLate.signal.reason) : errorMessage(error) };
    } finally {
      cancel();
    }
  };
  const first = await attempt();
  const answer = mayPassOnRetry(first) && !signal.aborted ? await later(clock, signal, attempt, first) : first;
  if (signal.aborted) return {};
  if ("error" in answer) return { problem: `could not be reached (${shortLine(answer.error, MAX_REASON)})` };
  const isOk = answer.status >= 200 && answer.status < 300;
  return isOk ? denialIn(answer.text) : { problem: `answered with HTTP ${answer.status}` };
}

async function later<Answer>(clock: Clock, signal: AbortSignal, again: () => Promise<Answer>, first: Answer) {
  try {
    await clock.sleep(PAUSE_MS, signal);
  } catch {
    return first; // Nobody needs it any more.
  }
  return again();
}

function mayPassOnRetry(answer: WebhookAnswer | { error: string }): boolean {
  return "error" in answer || answer.status === 429 || answer.status >= 500;
}

/** Only `{ "deny": true }` decides anything. */
function denialIn(text: string): WebhookOutcome {
  try {
    const answer: unknown = JSON.parse(text);
    if (!isRecord(answer) || answer.deny !== true) return {};
    const reason = typeof answer.reason === "string" ? shortLine(answer.reason, MAX_REASON) : "";
    return { denied: reason === "" ? "denied by the webhook." : reason };
  } catch {
    return {};
  }
}
