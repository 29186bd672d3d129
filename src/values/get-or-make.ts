/** A value of a cache, made on first use. */

type Cache<Key, Value> = { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown };

export function getOrMake<Key, Value>(cache: Cache<Key, Value>, key: Key, make: () => Value): Value {
  const known = cache.get(key);
  if (known !== undefined) return known;
  const made = make();
  cache.set(key, made);
  return made;
}
