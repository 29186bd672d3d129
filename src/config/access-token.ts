/** Access token of `deputy serve`: created on first use, stored in the state directory, readable only by its owner. */
import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { chmodSync, lstatSync } from "node:fs";
import { join } from "node:path";
import { DeputyError, errorMessage } from "../errors.ts";
import { createPrivateFile, readPrivateFile } from "../system/private-file.ts";

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

/** If several servers create a token at once, all get the one that was created first. */
function tokenIn(path: string): string {
  try {
    const existing = readToken(path);
    if (existing !== undefined) return existing;
    const made = randomBytes(TOKEN_BYTES).toString("base64url");
    return createPrivateFile(path, `${made}\n`) ? made : tokenIn(path);
  } catch (error) {
    if (error instanceof DeputyError) throw error;
    throw unusable(path, errorMessage(error), error);
  }
}

/** @throws DeputyError `input-unreadable` for a text that is no token: it is complete from the first moment on */
function readToken(path: string): string | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return undefined;
  if (found.isSymbolicLink()) throw unusable(path, "a link");
  const token = readPrivateFile(path, "the access token for clients")?.trim();
  if (found.isFile() && (found.mode & 0o077) !== 0) {
    if (found.nlink > 1) throw unusable(path, "a file with another name, which others can read");
    chmodSync(path, 0o600);
  }
  if (token !== undefined && token.length < TOKEN_BYTES) throw unusable(path, "a text that is too short");
  return token;
}

function unusable(path: string, found: string, cause?: unknown): DeputyError {
  const message =
    `Expected the access token for clients in ${path}, a file that you own; found: ${found}. ` +
    "Move it aside to create a new one, or use another state directory (DEPUTY_STATE_DIR).";
  return new DeputyError("input-unreadable", message, { cause });
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
