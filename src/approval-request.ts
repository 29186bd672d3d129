/**
 * The code of one approval request: a digest of everything that an answer is bound to. The same words asked for again, by
 * another child, in another directory or at another time, are another request.
 */
import { createHash } from "node:crypto";

export type ApprovalFacts = {
  /** Names the run, too. */
  childId: string;
  callId: string;
  toolName: string;
  /** Exactly what would run. */
  target: string;
  /** Where it would run: a real path. */
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
