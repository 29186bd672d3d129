/**
 * Merges layers of configuration and remembers the layer of each value. Values that belong together stay together: a
 * model with its provider, a key with its endpoint.
 */

import { type KeyPath, pathText } from "../values/key-path.ts";
import { fieldsOf, isRecord } from "../values/record.ts";

export type Layer = {
  value: Record<string, unknown>;
  /** Location of the value at a path of this layer. */
  sourceOf(path: KeyPath): string;
};

export type Merged = { value: Record<string, unknown>; layerOf(path: KeyPath): Layer | undefined };

/** Maps are merged, everything else is replaced; later layers win. */
export function mergeLayers(layers: readonly Layer[]): Merged {
  const owners = new Map<string, Layer>();
  const value = layers.reduce<Record<string, unknown>>(
    (below, layer) => overlay(below, layer.value, [], (path) => owners.set(pathText(path), layer)),
    {},
  );
  const layerOf = (path: KeyPath): Layer | undefined =>
    path.length === 0 ? undefined : (owners.get(pathText(path)) ?? layerOf(path.slice(0, -1)));
  return { value, layerOf };
}

function overlay(
  below: Record<string, unknown>,
  above: Record<string, unknown>,
  path: KeyPath,
  own: (path: KeyPath) => void,
): Record<string, unknown> {
  const merged = { ...below };
  for (const key of replacedTogether(below, above, path)) delete merged[key];
  for (const [key, value] of Object.entries(above)) {
    const inner = [...path, key];
    const old = merged[key];
    if (isRecord(value) && !isWhole(inner)) merged[key] = overlay(fieldsOf(old), value, inner, own);
    else {
      merged[key] = value;
      own(inner);
    }
  }
  return merged;
}

/**
 * Maps that count as one value: a model with its provider, an alias, an agent definition, an MCP server, headers, a
 * webhook, a search engine.
 */
function isWhole(path: KeyPath): boolean {
  const [first, second, third] = path;
  if (path.at(-1) === "model") return true;
  return (
    ((first === "models" || first === "agents" || first === "mcp_servers") && path.length === 2) ||
    (first === "providers" && third === "headers") ||
    (first === "notify" && second === "webhook" && path.length === 2) ||
    (first === "web" && second === "search" && path.length === 2)
  );
}

const CONNECTION_KEYS = ["base_url", "api_mode", "api_key", "api_keys", "api_key_env", "api_key_command", "headers"];

/** Keys of the lower layer to drop, because the upper layer sets what they belong to. */
function replacedTogether(below: Record<string, unknown>, above: Record<string, unknown>, path: KeyPath): string[] {
  if (path[0] === "providers" && path.length === 2)
    return CONNECTION_KEYS.some((key) => key in above) ? CONNECTION_KEYS : [];
  const routed = path.length === 0 || (path[0] === "delegation" && path.length === 1);
  const otherProvider = "provider" in above && !("model" in above) && above.provider !== below.provider;
  return routed && otherProvider ? ["model"] : [];
}
