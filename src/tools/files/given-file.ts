/** Reads a file that a task gives to its child, as text only. */
import { readFileSync } from "node:fs";
import { type GivenFile, MAX_FILES_BYTES } from "../../given-file.ts";
import { sha256Of } from "../../image.ts";
import { ToolError } from "../tool-error.ts";
import { decode, legacyEncodingOf } from "./edits/text-form.ts";
import type { Workspace } from "./paths/workspace.ts";
import { type ProtectionOf, readPermitted } from "./read-permitted.ts";

/** @throws ToolError as `readPermitted`, or if it is too large or not text */
export function readGivenFile(workspace: Workspace, path: string, protectionOf: ProtectionOf): GivenFile {
  return readPermitted(workspace, path, { what: "a file", protectionOf }, (descriptor, { size }) => {
    if (size > MAX_FILES_BYTES)
      throw new ToolError(`expected at most ${MAX_FILES_BYTES} bytes in all files together; found ${size}`);
    const bytes = readFileSync(descriptor);
    return { name: path, bytes: bytes.length, sha256: sha256Of(bytes), text: textOf(bytes) };
  });
}

function textOf(bytes: Buffer): string {
  const decoded = decode(bytes);
  if (decoded !== undefined) return decoded.text;
  if (bytes.includes(0)) throw new ToolError("expected text; found a binary file");
  throw new ToolError(`expected text in UTF-8 or UTF-16; found what is probably ${legacyEncodingOf(bytes).name}`);
}
