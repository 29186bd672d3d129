/** One producer's events for any number of listeners, each from the moment it starts to listen. */
export type Broadcast<Item> = AsyncIterable<Item> & {
  push(item: Item): void;
  end(): void;
};

type Subscriber<Item> = { items: Item[]; wake: () => void };

export function createBroadcast<Item>(): Broadcast<Item> {
  const listeners = new Set<Subscriber<Item>>();
  let ended = false;

  async function* subscribe(listener: Subscriber<Item>): AsyncGenerator<Item> {
    try {
      for (;;) {
        const items = listener.items;
        listener.items = [];
        yield* items;
        if (listener.items.length > 0) continue;
        if (ended) return;
        await new Promise<void>((resolve) => {
          listener.wake = resolve;
        });
      }
    } finally {
      listeners.delete(listener);
    }
  }

  return {
    push(item) {
      for (const listener of listeners) {
        listener.items.push(item);
        listener.wake();
      }
    },
    end() {
      ended = true;
      for (const { wake } of listeners) wake();
    },
    [Symbol.asyncIterator]() {
      const listener: Subscriber<Item> = { items: [], wake: () => {} };
      listeners.add(listener);
      return subscribe(listener);
    },
  };
}
