/** The last line of `npm test`: what could not be tested on this machine, and the command that makes it testable. */
import { trySandbox } from "../src/tools/sandbox/support.ts";

const found = trySandbox(process.env.PATH ?? "");
if ("problem" in found)
  console.log(
    `Not tested here: the sandbox of commands, because ${found.problem}. To test it: ` +
      "apt-get install -y bubblewrap && npm test. `deputy doctor` says more.",
  );
