/**
 * Trust in project files. It applies to contents, not paths: a file that changed, or whose `.env` did, is untrusted
 * again.
 */
import { createHash } from "node:crypto";
import { realpathSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";
import type { Environment } from "../template.ts";
import { type ConfigTexts, readConfigTexts } from "./config-texts.ts";

/** The directory for everything that Deputy writes. */
export function stateDir(env: Environment): string {
  const { DEPUTY_STATE_DIR: own = "", XDG_STATE_HOME: shared = "" } = env;
  if (own.trim() !== "") return own;
  if (shared.trim() !== "") return join(shared, "deputy");
  return join(env.HOME || homedir(), ".local", "state", "deputy");
}

/** The directory of the working copies that children have. */
export function worktreesDir({ XDG_DATA_HOME: shared = "", HOME }: Environment): string {
  const data = shared.trim() === "" ? join(HOME || homedir(), ".local", "share") : shared;
  return join(data, "deputy", "work");
}

/** Trusts a project file in its current state. @throws DeputyError `config-invalid` | `input-unreadable` */
export function trustConfig(path: string, state: string): void {
  const texts = readConfigTexts(path, "project");
  const trusted = { ...readTrusted(state), [realpathSync(path)]: fingerprint(texts) };
  writePrivateFile(trustedFile(state), `${JSON.stringify(trusted, null, 2)}\n`);
}

/** Returns whether the user trusts a project file with these texts. @throws DeputyError `input-unreadable` */
export function isTrusted(path: string, texts: ConfigTexts, state: string): boolean {
  return readTrusted(state)[realpathSync(path)] === fingerprint(texts);
}

function trustedFile(state: string): string {
  return join(state, "trusted.json");
}

/** Fingerprints by path. */
const trusted = z.record(z.string(), z.string());

/** A missing or damaged list trusts nothing. */
function readTrusted(state: string): Record<string, string> {
  const text = readPrivateFile(trustedFile(state), "the list of project configs that you trust");
  try {
    return trusted.parse(JSON.parse(text ?? "{}"));
  } catch {
    return {};
  }
}

function fingerprint({ text, dotenv }: ConfigTexts): string {
  return createHash("sha256").update(text).update("\0").update(dotenv).digest("hex");
}
