/** The token that `deputy serve` asks for: made at its first use, kept in the state directory for its owner alone. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { DeputyError } from "../errors.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";

const TOKEN_BYTES = 32;

export type AccessToken = {
  /** Where it can be read. */
  path: string;
  /** Enough of it to recognise it. */
  masked: string;
  /** Whether this is the token. Takes the same time for every other text. */
  matches(text: string): boolean;
};

/** @throws DeputyError `input-unreadable` where it can be neither read nor written */
export function accessToken(state: string): AccessToken {
  const path = join(state, "token");
  const token = tokenIn(path);
  const expected = digest(token);
  return {
    path,
    masked: `${token.slice(0, 4)}…${token.slice(-2)}`,
    matches: (text) => timingSafeEqual(digest(text), expected),
  };
}

function tokenIn(path: string): string {
  try {
    return readToken(path) ?? makeToken(path);
  } catch (error) {
    if (error instanceof DeputyError) throw error;
    const message =
      `Expected the token that clients need in ${path}, a file of yours; found: ${(error as Error).message}. ` +
      "Move it aside, and a new one is made; or use another state directory (DEPUTY_STATE_DIR).";
    throw new DeputyError("input-unreadable", message, { cause: error });
  }
}

/** Too short a text, an empty file for example, is no token. */
function readToken(path: string): string | undefined {
  const token = readPrivateFile(path, "the token that clients need")?.trim();
  if (token === undefined) return undefined;
  chmodSync(path, 0o600);
  return token.length < TOKEN_BYTES ? undefined : token;
}

function makeToken(path: string): string {
  const token = randomBytes(TOKEN_BYTES).toString("base64url");
  writePrivateFile(path, `${token}\n`);
  return token;
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
