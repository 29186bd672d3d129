/** The expected error of a tool, with text for the model. Thrown inside a tool, never out of one. */
import { getSystemErrorMessage } from "node:util";
import { shortageIn } from "../system/shortage.ts";

export class ToolError extends Error {}

/** Text for the model about an expected error; undefined for a bug. */
export function toolErrorText(error: unknown): string | undefined {
  if (error instanceof ToolError) return error.message;
  const shortage = shortageIn(error);
  if (shortage !== undefined) return shortage;
  if (!isSystemError(error)) return undefined;
  return `The system refused it: ${getSystemErrorMessage(-Math.abs(error.errno))} (${error.code}).`;
}

type SystemError = Error & { errno: number; code: string };

export function isSystemError(error: unknown, code?: string): error is SystemError {
  if (!(error instanceof Error) || !("errno" in error) || typeof error.errno !== "number") return false;
  return "code" in error && (code === undefined || error.code === code);
}
