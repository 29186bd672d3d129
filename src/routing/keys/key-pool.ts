/**
 * The keys of one provider, shared by every request of the process: each request takes the key with the fewest in
 * flight. A key that its provider limits or rejects cools down while the others are used. A cooldown is a preference
 * and not a lock: if all keys are cooling down, the one that is available first is leased. A single key never cools
 * down, because nothing could replace it.
 */
import type { Clock } from "../../clock.ts";
import type { Failure, FailureKind } from "../../errors.ts";
import type { Access, KeyAvailability, KeyHeader, Lease, Secret } from "../../secret.ts";
import type { KeySource } from "./key-source.ts";
import type { DeclaredKey } from "./provider-connection.ts";

/** Cooldown of a key if its provider names none, in milliseconds. Failures of other kinds are not the key's. */
const COOLDOWN_MS: Partial<Record<FailureKind, number>> = {
  "rate-limited": 10_000,
  "quota-exhausted": 60 * 60_000,
  unauthorized: Number.POSITIVE_INFINITY,
  // Its command printed no key.
  "route-gone": Number.POSITIVE_INFINITY,
};

export type Pool = {
  /** Leases the next key. @param accessWith makes the credentials of a request from a key */
  lease(accessWith: AccessWith, signal: AbortSignal): Promise<Lease>;
  /** Why no key is available now. Runs a command only if every key comes from one: `lease` reuses what it prints. */
  whyEmpty(signal: AbortSignal): Promise<Failure | undefined>;
};
export type AccessWith = (secret: Secret, header: KeyHeader | undefined) => Access;

type Cooldown = { until: number; kind: FailureKind; isTold: boolean };
type PooledKey = {
  declaredKey: DeclaredKey;
  keySource: KeySource;
  inFlight: number;
  /** Number of the pool's lease: the lowest is the least recently used. */
  lastUsed: number;
  cooldown?: Cooldown;
};

/** @param sources at least one */
export function createPool(
  sources: readonly DeclaredKey[],
  keySourceOf: (source: DeclaredKey) => KeySource,
  clock: Clock,
): Pool {
  const members = sources.map(
    (declaredKey): PooledKey => ({ declaredKey, keySource: keySourceOf(declaredKey), inFlight: 0, lastUsed: 0 }),
  );
  let leases = 0;

  const isFree = ({ cooldown }: PooledKey) => cooldown === undefined || cooldown.until <= clock.elapsed();

  function nextMember(): PooledKey {
    const free = members.filter(isFree);
    const [next] = free.length > 0 ? free.toSorted(byLoad) : members.toSorted(byReturn);
    if (next === undefined) throw new Error("a pool without keys");
    return next;
  }

  /** The cooldown of a key after a failure; undefined if the failure is not the key's. */
  function cooldownOf({ keySource }: PooledKey, { kind, retryAfterMs }: Failure): Cooldown | undefined {
    const usualMs = COOLDOWN_MS[kind];
    if (usualMs === undefined) return undefined;
    const refused = kind === "unauthorized" || kind === "route-gone";
    const ownMs = refused ? (keySource.pauseMs ?? usualMs) : (retryAfterMs ?? usualMs);
    return { until: clock.elapsed() + ownMs, kind, isTold: !refused && retryAfterMs !== undefined };
  }

  /** Starts a key's cooldown, or asks its command for a new key. Returns whether its source has another one. */
  function judge(member: PooledKey, failure: Failure, secret: Secret | undefined): boolean {
    const cooldown = cooldownOf(member, failure);
    if (cooldown === undefined) return false;
    if (failure.kind === "unauthorized" && secret !== undefined && member.keySource.refresh(secret)) return true;
    if (members.length === 1) return false;
    if (member.cooldown === undefined || member.cooldown.until < cooldown.until) member.cooldown = cooldown;
    return false;
  }

  function availabilityAfter(failed: PooledKey, renewed: boolean, failure: Failure, tried: number): KeyAvailability {
    const own = cooldownOf(failed, failure);
    if (own === undefined) return asTold(failure);
    const another = renewed || members.some((member) => member !== failed && isFree(member));
    // Each key once, plus one new key from each command.
    const most = members.length + members.filter(({ keySource }) => keySource.pauseMs !== undefined).length;
    if (another && tried + 1 < most) return { another: true };
    if (members.length === 1) return asTold(failure);
    // A request knows what its own key was just told. The key's cooldown may be longer: another model's quota, for
    // example.
    const free = { until: 0, kind: failure.kind, isTold: false };
    const others = members.filter((member) => member !== failed);
    const cooldowns = [own, ...others.map((member) => (isFree(member) ? free : (member.cooldown ?? free)))];
    const first = cooldowns.reduce((soonest, next) => (next.until < soonest.until ? next : soonest));
    const backInMs = Math.max(0, first.until - clock.elapsed());
    return { another: false, backInMs, kind: first.kind, isTold: first.isTold };
  }

  return {
    async lease(accessWith, signal) {
      const member = nextMember();
      const { declaredKey, keySource, cooldown } = member;
      member.inFlight += 1;
      member.lastUsed = ++leases;
      const issued = await keySource.get(signal);
      const secret = "secret" in issued ? issued.secret : undefined;
      let renewed = false;
      return {
        keyName: declaredKey.name,
        ...("secret" in issued ? { access: accessWith(issued.secret, issued.header ?? declaredKey.header) } : issued),
        release(failure) {
          member.inFlight -= 1;
          if (failure !== undefined) renewed = judge(member, failure, secret);
          // Only a request that started during the cooldown can show that it is unnecessary.
          else if (member.cooldown === cooldown) delete member.cooldown;
        },
        availability: (failure, tried) => availabilityAfter(member, renewed, failure, tried),
      };
    },
    async whyEmpty(signal) {
      if (members.some(({ declaredKey }) => "secret" in declaredKey)) return undefined;
      const issued = await Promise.all(members.map(({ keySource }) => keySource.get(signal)));
      return issued.some((key) => "secret" in key) ? undefined : issued.find((key) => "failure" in key)?.failure;
    },
  };
}

/** For an endpoint that needs no key. */
export function createKeylessPool(access: Access): Pool {
  const lease: Lease = {
    access,
    release: () => {},
    availability: asTold,
  };
  return { lease: async () => lease, whyEmpty: async () => undefined };
}

/** A lease without credentials, which no other key can change. */
export function noLease(failure: Failure): Lease {
  return { failure, release: () => {}, availability: asTold };
}

/** A wait for as long as the provider says. */
function asTold({ retryAfterMs, kind }: Failure): KeyAvailability {
  return { another: false, backInMs: retryAfterMs ?? 0, kind, isTold: retryAfterMs !== undefined };
}

function byLoad(one: PooledKey, other: PooledKey): number {
  return one.inFlight - other.inFlight || one.lastUsed - other.lastUsed;
}

function byReturn(one: PooledKey, other: PooledKey): number {
  const [first = 0, second = 0] = [one.cooldown?.until, other.cooldown?.until];
  return first === second ? one.lastUsed - other.lastUsed : first - second;
}
