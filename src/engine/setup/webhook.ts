/**
 * Calls the operator's webhook. Its headers are sent to its own origin alone, no redirect is followed, and requests are
 * signed as https://www.standardwebhooks.com describes, so that receivers can verify them with a library.
 */
import { createHmac } from "node:crypto";
import type { WebhookConfig } from "../../config-schema.ts";
import { DeputyError } from "../../errors.ts";
import type { Environment, Template } from "../../template.ts";
import { requestOnce } from "./request-once.ts";

export type WebhookAnswer = { status: number; text: string };

/** @param id names the notification: the same when it is sent again. @throws if no response arrives */
export type CallWebhook = (message: { id: string; body: string }, signal: AbortSignal) => Promise<WebhookAnswer>;

/** Most of a response that is read, in bytes. */
const MAX_ANSWER_BYTES = 16 * 1024;

/** @param env source of the webhook's variables, and of proxy variables */
export function webhookCaller({ url: written, headers, secret }: WebhookConfig, env: Environment): CallWebhook {
  return async ({ id, body }, signal) => {
    const url = textOf("url", written, env);
    const secretHeaders = Object.fromEntries(
      Object.entries(headers).map(([name, template]) => [name, textOf(`headers.${name}`, template, env)]),
    );
    const key = secret && textOf("secret", secret, env);
    const plainHeaders = { "content-type": "application/json", accept: "application/json", ...signed(id, body, key) };
    const access = { headers: secretHeaders };
    const request = { method: "POST", url, access, headers: plainHeaders, body, maxBytes: MAX_ANSWER_BYTES } as const;
    return requestOnce(request, env, signal);
  };
}

/** @throws DeputyError `config-invalid` if a variable is not set */
function textOf(key: string, template: Template, env: Environment): string {
  const expanded = template.expand(env);
  if ("text" in expanded) return expanded.text;
  throw new DeputyError("config-invalid", `notify.webhook.${key} names ${expanded.unset.join(", ")}, which is not set`);
}

/** The headers that identify a request, with its signature if there is a secret. */
function signed(id: string, body: string, secret: string | undefined): Record<string, string> {
  const at = String(Math.floor(Date.now() / 1000));
  const headers = { "webhook-id": id, "webhook-timestamp": at };
  if (secret === undefined) return headers;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64");
  return { ...headers, "webhook-signature": `v1,${signature}` };
}
