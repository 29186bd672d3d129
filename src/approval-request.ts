/**
 * The code of an approval request: a digest of everything that its answer is bound to. The same command requested by
 * another child, in another directory or at another time has another code.
 */
import { createHash } from "node:crypto";

export type ApprovalFacts = {
  /** Includes the run's id. */
  childId: string;
  callId: string;
  toolName: string;
  /** The exact command or path. */
  target: string;
  /** Real path of the directory it would run in. */
  directory: string;
  /** Milliseconds since the epoch. */
  askedAt: number;
};

/** Hexadecimal digits of a code: short enough to type, too many to hit by chance. */
const CODE_LENGTH = 12;

export function requestCode({ childId, callId, toolName, target, directory, askedAt }: ApprovalFacts): string {
  const facts = JSON.stringify([childId, callId, toolName, target, directory, askedAt]);
  return createHash("sha256").update(facts).digest("hex").slice(0, CODE_LENGTH);
}
