/** Posts the forms of token requests: there is one an hour. */
import type { PostForm } from "../../routing/keys/google-token.ts";
import type { Environment } from "../../template.ts";
import { requestOnce } from "./request-once.ts";

/** Most of an answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;
const HEADERS = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };

/** @param env proxy variables are read from here */
export function formPoster(env: Environment): PostForm {
  return (url, form, signal) =>
    requestOnce({ method: "POST", url, headers: HEADERS, body: String(form), maxBytes: MAX_ANSWER_BYTES }, env, signal);
}
