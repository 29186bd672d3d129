/**
 * Ownership of runs. A claim names its owner; an owner is a journal opened by a process, and is alive while it holds
 * its lock file, so that a claim dies with its process and no lease has to expire.
 *
 * Claims change, and lock files are created and removed, only inside a write transaction of the journal: one process at
 * a time, so that no process sees a lock file before it is locked.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync, SQLOutputValue } from "node:sqlite";
import { DeputyError } from "../../errors.ts";
import { makeFolder } from "../../system/make-folder.ts";
import type { Claim, Owner } from "../journal.ts";
import { holdLock, isLockHeld } from "./process-lock.ts";
import { inTransaction } from "./transaction.ts";

export type Ownership = {
  /** Implements `Journal.claim`, `release` and `owner`. */
  claim(delegationId: string): Claim;
  release(delegationId: string): void;
  owner(delegationId: string): Owner | undefined;
  /** Creates and locks this owner's lock file at its first claim, so that a claim itself cannot fail. */
  enter(): void;
  /** Claims a new run. Call it after `enter`, inside a write transaction. */
  claimNew(delegationId: string): void;
  /**
   * Stops an owner that has lost a run from writing about it: a lock can be lost without its holder's knowledge. Call
   * it inside a write transaction. @throws DeputyError `run-owned`
   */
  fence(delegationId: string): void;
  /** Drops the claim of a dead owner. Call it inside a write transaction. */
  forget(delegationId: string): void;
  /** Returns whether a living process, this one included, owns any run. */
  isAnyAlive(): boolean;
  /** Ends this owner and frees its remaining claims. */
  close(): void;
};

type ClaimRow = { ownerId: string; pid: number };

/** `ownerId` must be new: it names a lock file in `directory`, which is created at the first claim. */
export function createOwnership(database: DatabaseSync, directory: string, ownerId: string): Ownership {
  const find = database.prepare("SELECT owner_id AS ownerId, pid FROM claims WHERE delegation_id = ?");
  const save = database.prepare("INSERT OR REPLACE INTO claims (delegation_id, owner_id, pid) VALUES (?, ?, ?)");
  const remove = database.prepare("DELETE FROM claims WHERE delegation_id = ? AND owner_id = ?");
  const drop = database.prepare("DELETE FROM claims WHERE delegation_id = ?");
  const all = database.prepare("SELECT owner_id AS ownerId, pid FROM claims");
  /** Runs that this owner has claimed and not released. */
  const claimed = new Set<string>();
  let unlock: (() => void) | undefined;

  function claim(delegationId: string): Claim {
    const answer = inTransaction(database, (): Claim => {
      const current = claimOn(delegationId);
      if (current?.ownerId === ownerId) return { claimed: true };
      if (current && isAlive(current)) return { claimed: false, owner: { pid: current.pid, alive: true } };
      unlock ??= becomeOwner();
      save.run(delegationId, ownerId, process.pid);
      return { claimed: true };
    });
    if (answer.claimed) claimed.add(delegationId);
    return answer;
  }

  function enter(): void {
    if (unlock === undefined) inTransaction(database, () => (unlock = becomeOwner()));
  }

  /** If another process owns the run despite this, the fence rejects the writes. */
  function claimNew(delegationId: string): void {
    if (claimOn(delegationId) !== undefined) return;
    save.run(delegationId, ownerId, process.pid);
    claimed.add(delegationId);
  }

  function release(delegationId: string): void {
    claimed.delete(delegationId);
    inTransaction(database, () => remove.run(delegationId, ownerId));
  }

  function fence(delegationId: string): void {
    const current = claimOn(delegationId);
    if (current?.ownerId === ownerId || (current === undefined && !claimed.has(delegationId))) return;
    throw new DeputyError(
      "run-owned",
      `Run ${delegationId} was taken over by another process: process ${process.pid} lost its lock and ends its work on it. See deputy show ${delegationId}`,
    );
  }

  function owner(delegationId: string): Owner | undefined {
    const current = claimOn(delegationId);
    return current && { pid: current.pid, alive: isAlive(current) };
  }

  function claimOn(delegationId: string): ClaimRow | undefined {
    const row = find.get(delegationId);
    return row && claimIn(row);
  }

  function isAlive(claim: ClaimRow): boolean {
    return claim.ownerId === ownerId || isLockHeld(lockFile(claim.ownerId));
  }

  function becomeOwner(): () => void {
    makeFolder(directory, 0o700);
    sweep();
    return holdLock(lockFile(ownerId));
  }

  /** Removes the lock files of dead owners. Their ids are never reused: a missing lock file counts as unlocked. */
  function sweep(): void {
    for (const name of readdirSync(directory)) {
      const file = join(directory, name);
      if (name.endsWith(".lock") && !isLockHeld(file)) rmSync(file, { force: true });
    }
  }

  function lockFile(id: string): string {
    return join(directory, `${id}.lock`);
  }

  function close(): void {
    if (unlock === undefined) return;
    unlock();
    rmSync(lockFile(ownerId), { force: true });
  }

  return {
    claim,
    release,
    owner,
    enter,
    claimNew,
    fence,
    forget: (delegationId) => void drop.run(delegationId),
    isAnyAlive: () => all.all().map(claimIn).some(isAlive),
    close,
  };
}

function claimIn({ ownerId, pid }: Record<string, SQLOutputValue>): ClaimRow {
  return { ownerId: String(ownerId), pid: Number(pid) };
}
