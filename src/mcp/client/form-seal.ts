/**
 * Seals the state that is sent with forms and comes back with them. A client could tamper with it, so it is valid only
 * as this server wrote it, for the session it was sent to, once, and until the requests in it expire.
 */
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Clock } from "../../clock.ts";
import { DeputyError } from "../../errors.ts";
import type { ClientSession } from "./client-session.ts";

const formsSchema = z.strictObject({
  runId: z.string(),
  /** Codes of the requests sent with it. A code identifies child, call, exact text, directory and time. */
  asked: z.array(z.string()),
  /** Codes of the requests shown before. */
  shown: z.array(z.string()),
  /** When the last of them expires, in milliseconds since the epoch. */
  until: z.number(),
});
const sealedSchema = formsSchema.extend({ id: z.string(), session: z.string() });

export type SentForms = z.infer<typeof formsSchema>;

export type FormSeal = {
  seal(caller: ClientSession, forms: SentForms): string;
  /** @throws DeputyError `usage` for state that was not sent in this form, or comes back twice or too late */
  open(caller: ClientSession, sealed: string): SentForms;
};

/** The key lives as long as this process: forms of an earlier one are invalid. */
export function createFormSeal(clock: Pick<Clock, "now">): FormSeal {
  const key = randomBytes(32);
  const sign = (body: string) => createHmac("sha256", key).update(body).digest();

  function read(sealed: string) {
    const [body = "", signature = ""] = sealed.split(".");
    const [expected, found] = [sign(body), Buffer.from(signature, "base64url")];
    if (found.length !== expected.length || !timingSafeEqual(found, expected)) throw notOurs("it was not issued here");
    return sealedSchema.parse(JSON.parse(Buffer.from(body, "base64url").toString()));
  }

  return {
    seal({ session, sent }, forms) {
      for (const [id, until] of sent) if (until < clock.now()) sent.delete(id);
      const id = randomUUID();
      sent.set(id, forms.until);
      const body = Buffer.from(JSON.stringify({ ...forms, id, session })).toString("base64url");
      return `${body}.${sign(body).toString("base64url")}`;
    },
    open({ session, sent }, sealed) {
      const { id, session: owner, ...forms } = read(sealed);
      if (owner !== session) throw notOurs("it was issued to another client session");
      if (forms.until < clock.now()) throw notOurs("the requests it is about have expired");
      if (!sent.delete(id)) throw notOurs("it was used before");
      return forms;
    },
  };
}

/** @param why a clause about the `requestState` */
export function notOurs(why: string): DeputyError {
  return new DeputyError(
    "usage",
    `Nothing was approved: expected the requestState of a form that this server sent in this session; ${why}. ` +
      "Make the call again without requestState and inputResponses.",
  );
}
