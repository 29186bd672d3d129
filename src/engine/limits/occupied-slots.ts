/** Occupied slots, in total and per provider. */

export type Slot = {
  readonly provider: string;
  /** Releases the slot; a second call has no effect. */
  release(): void;
};

export type OccupiedSlots = {
  /** Occupied slots in total. */
  readonly total: number;
  /** Occupied slots at a provider. */
  at(provider: string): number;
  take(provider: string): Slot;
};

export function createOccupiedSlots(onRelease: () => void): OccupiedSlots {
  let total = 0;
  const byProvider = new Map<string, number>();
  const at = (provider: string) => byProvider.get(provider) ?? 0;

  function change(provider: string, by: 1 | -1): void {
    total += by;
    byProvider.set(provider, at(provider) + by);
  }

  return {
    get total() {
      return total;
    },
    at,
    take(provider) {
      change(provider, 1);
      let isTaken = true;
      return {
        provider,
        release() {
          if (!isTaken) return;
          isTaken = false;
          change(provider, -1);
          onRelease();
        },
      };
    },
  };
}
