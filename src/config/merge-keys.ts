/**
 * Merge keys of YAML 1.1 (`<<: *base`), which PyYAML and so Hermes resolve. Each map is merged once, so that maps which
 * merge one another take neither exponential time nor an endless loop.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Pair, visit, type YAMLMap } from "yaml";

/** Replaces each merge key by the pairs of its maps that the map does not have itself. Of two maps, the first wins. */
export function resolveMergeKeys(document: Document.Parsed): void {
  const merged = new Set<YAMLMap>();

  function merge(map: YAMLMap): void {
    if (merged.has(map)) return;
    merged.add(map);
    const names = new Set(map.items.filter((pair) => !isMerge(pair)).map(nameOf));
    map.items = map.items.flatMap((pair) => {
      const sources = isMerge(pair) ? sourcesOf(pair.value) : undefined;
      if (sources === undefined) return [pair];
      sources.forEach(merge);
      return sources.flatMap(({ items }) => items.filter((each) => isNew(each, names)));
    });
  }

  /** The maps of a merge key; undefined if it has anything else. */
  function sourcesOf(value: unknown): YAMLMap[] | undefined {
    const nodes = (isSeq(value) ? value.items : [value]).map((node) => (isAlias(node) ? node.resolve(document) : node));
    return nodes.every((node) => isMap(node)) ? nodes : undefined;
  }

  const maps: YAMLMap[] = [];
  visit(document, { Map: (_, map) => void maps.push(map) });
  maps.forEach(merge);
}

function isMerge({ key }: Pair): boolean {
  return isScalar(key) && key.value === "<<" && key.type === "PLAIN";
}

function nameOf({ key }: Pair): unknown {
  return isScalar(key) ? key.value : key;
}

function isNew(pair: Pair, names: Set<unknown>): boolean {
  const name = nameOf(pair);
  return !names.has(name) && names.add(name).has(name);
}
