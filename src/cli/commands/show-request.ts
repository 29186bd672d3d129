/** `deputy show ID.n --request K`: the body on standard output, byte for byte; where it went on standard error. */
import type { ShownRequest } from "../../engine/shown-request.ts";
import { plural } from "../../text/plural.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { harmless } from "../../text/spelled-text.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import type { Io } from "../io.ts";

export function printRequest(request: ShownRequest, isJson: boolean, { stdout, stderr }: Io): number {
  const { body, differences } = request;
  if (isJson) stdout.write(jsonDocument(request));
  else {
    stderr.write(`${harmless(headOf(request))}\n\n`);
    // A terminal would act on some of a model's characters.
    stdout.write(stdout.isTTY === true ? `${harmless(body)}\n` : body);
  }
  for (const difference of differences) stderr.write(`! ${difference}\n`);
  return differences.length === 0 ? EXIT_COMPLETED : EXIT_NOT_COMPLETED;
}

function headOf({
  child_id,
  request,
  step,
  model,
  provider,
  method,
  url,
  headers,
  body,
  sha256,
  ...rest
}: ShownRequest) {
  const what = step === undefined ? "for a summary" : `for step ${step}`;
  const state = rest.differences.length === 0 ? "as it was sent" : "written again, and not proven to be what was sent";
  return [
    `Request ${request} of ${child_id}, ${what}, to ${model} @ ${provider}: ${state}`,
    `${plural(Buffer.byteLength(body), "byte")}, sha256 ${sha256}`,
    `${method} ${url}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ].join("\n");
}
