/** Access token of `deputy serve`: created on first use, stored in the state directory, readable only by its owner. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { DeputyError, errorMessage } from "../errors.ts";
import { readPrivateFile, writePrivateFile } from "../system/private-file.ts";

const TOKEN_BYTES = 32;

export type AccessToken = {
  /** Path of its file. */
  path: string;
  /** A part of it, enough to recognize it. */
  masked: string;
  /** Compares a text with the token, in constant time. */
  matches(text: string): boolean;
};

/** @throws DeputyError `input-unreadable` if it can be neither read nor written */
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
      `Expected the access token for clients in ${path}, a file that you own; found: ${errorMessage(error)}. ` +
      "Move it aside to create a new one, or use another state directory (DEPUTY_STATE_DIR).";
    throw new DeputyError("input-unreadable", message, { cause: error });
  }
}

/** A text that is too short, such as an empty file, is not a token. */
function readToken(path: string): string | undefined {
  const token = readPrivateFile(path, "the access token for clients")?.trim();
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
