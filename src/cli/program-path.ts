/** How other programs and shells start this Deputy. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Io } from "./io.ts";

/**
 * The command that starts this Deputy again: the path of a clone or of a package that npx runs, or its name. Never
 * through npx: the package's name is not published, so anybody could take it.
 */
export function programPath(env: Io["env"]): string {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  if (existsSync(join(root, "src", "cli", "process.ts"))) return join(root, "bin", "deputy");
  const throughNpx = root.split(/[\\/]/).includes("_npx") || env.npm_command === "exec";
  return throughNpx ? join(root, "bin", "deputy.mjs") : "deputy";
}
