/** Posts the forms of token requests, each on a connection of its own: there is one an hour. */
import type { PostForm } from "../../routing/keys/google-token.ts";
import type { Environment } from "../../template.ts";

/** Most of an answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** @param env proxy variables are read from here */
export function formPoster(env: Environment): PostForm {
  return async (url, form, signal) => {
    const [{ openTransport }, { textOf }] = await Promise.all([
      import("./open-transport.ts"),
      import("../../child/wire/response-body.ts"),
    ]);
    const transport = openTransport(env);
    try {
      const fetch = transport.fetchFor(url, { headers: {}, redact: (text) => text });
      const headers = { "content-type": "application/x-www-form-urlencoded", accept: "application/json" };
      const response = await fetch(url, { method: "POST", headers, body: String(form), signal });
      return { status: response.status, text: await textOf(response.body, MAX_ANSWER_BYTES) };
    } finally {
      await transport.close();
    }
  };
}
