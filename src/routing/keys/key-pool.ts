/**
 * The keys of one provider, shared by every request of the process: each takes the key with the fewest in flight. A key
 * that its provider limits, or accepts no more, rests while the others go on. Rest is a preference and no lock: where
 * all rest, the key that is back first is lent. A key alone never rests, for none could take its place.
 */
import type { Clock } from "../../clock.ts";
import type { Failure, FailureKind } from "../../errors.ts";
import type { Access, KeyAvailability, KeyHeader, Lease, Secret } from "../../secret.ts";
import type { KeySource } from "./key-source.ts";
import type { DeclaredKey } from "./provider-connection.ts";

/** How long a key rests where its provider does not say, in milliseconds. Failures of other kinds are not a key's. */
const COOLDOWN_MS: Partial<Record<FailureKind, number>> = {
  "rate-limited": 10_000,
  "quota-exhausted": 60 * 60_000,
  unauthorized: Number.POSITIVE_INFINITY,
  // Its command printed none.
  "route-gone": Number.POSITIVE_INFINITY,
};

export type Pool = {
  /** The key whose turn it is. @param accessWith what a request carries that is signed with a key */
  lease(accessWith: AccessWith, signal: AbortSignal): Promise<Lease>;
  /** Why there is no key now. A command is run only where every key comes from one: what it prints is kept for `lease`. */
  whyEmpty(signal: AbortSignal): Promise<Failure | undefined>;
};
export type AccessWith = (secret: Secret, header: KeyHeader | undefined) => Access;

type Cooldown = { until: number; kind: FailureKind; isTold: boolean };
type PooledKey = {
  declaredKey: DeclaredKey;
  keySource: KeySource;
  inFlight: number;
  /** Counts the pool's leases: the member with the lowest was used longest ago. */
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

  /** How long a failure lets its key rest, from now; undefined where it is not the key's. */
  function cooldownOf({ keySource }: PooledKey, { kind, retryAfterMs }: Failure): Cooldown | undefined {
    const restMs = COOLDOWN_MS[kind];
    if (restMs === undefined) return undefined;
    const refused = kind === "unauthorized" || kind === "route-gone";
    const ownMs = refused ? (keySource.pauseMs ?? restMs) : (retryAfterMs ?? restMs);
    return { until: clock.elapsed() + ownMs, kind, isTold: !refused && retryAfterMs !== undefined };
  }

  /** Puts a key to rest, or asks its command for another. Returns whether the same member has a new key to try. */
  function judge(member: PooledKey, failure: Failure, secret: Secret | undefined): boolean {
    const rest = cooldownOf(member, failure);
    if (rest === undefined) return false;
    if (failure.kind === "unauthorized" && secret !== undefined && member.keySource.refresh(secret)) return true;
    if (members.length === 1) return false;
    if (member.cooldown === undefined || member.cooldown.until < rest.until) member.cooldown = rest;
    return false;
  }

  function availabilityAfter(failed: PooledKey, renewed: boolean, failure: Failure, tried: number): KeyAvailability {
    const own = cooldownOf(failed, failure);
    if (own === undefined) return asTold(failure);
    const another = renewed || members.some((member) => member !== failed && isFree(member));
    // Each key once, and each that a command may print anew once more.
    const most = members.length + members.filter(({ keySource }) => keySource.pauseMs !== undefined).length;
    if (another && tried + 1 < most) return { another: true };
    if (members.length === 1) return asTold(failure);
    // Of its own key a request knows what it was told now. The key may rest longer: another model's quota, say.
    const free = { until: 0, kind: failure.kind, isTold: false };
    const others = members.filter((member) => member !== failed);
    const rests = [own, ...others.map((member) => (isFree(member) ? free : (member.cooldown ?? free)))];
    const first = rests.reduce((soonest, rest) => (rest.until < soonest.until ? rest : soonest));
    const backInMs = Math.max(0, first.until - clock.elapsed());
    return { another: false, backInMs, kind: first.kind, isTold: first.isTold };
  }

  return {
    async lease(accessWith, signal) {
      const member = nextMember();
      const { declaredKey, keySource, cooldown } = member;
      member.inFlight += 1;
      member.lastUsed = ++leases;
      const supplied = await keySource.get(signal);
      const secret = "secret" in supplied ? supplied.secret : undefined;
      let renewed = false;
      return {
        keyName: declaredKey.name,
        ...("secret" in supplied ? { access: accessWith(supplied.secret, declaredKey.header) } : supplied),
        release(failure) {
          member.inFlight -= 1;
          if (failure !== undefined) renewed = judge(member, failure, secret);
          // Only a request that began while the key rested can tell that it need not.
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

/** Nothing can be sent, and no other key changes that. */
export function noLease(failure: Failure): Lease {
  return { failure, release: () => {}, availability: asTold };
}

/** Nothing but a wait is left, as long as the provider says. */
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
