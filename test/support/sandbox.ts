/** Whether this machine can test what needs a sandbox. */
import { trySandbox } from "../../src/tools/sandbox/support.ts";

/** The `skip` of tests: why they cannot run here, or false. */
export const withoutSandbox: string | false = (() => {
  const found = trySandbox(process.env.PATH ?? "");
  return "problem" in found ? `${found.problem}. ${found.remedy}` : false;
})();
