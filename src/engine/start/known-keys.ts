/** Removes the keys that Deputy knows from what people and models write, before any of it is planned, sent or stored. */
import { keyRemoved, type Warning } from "../../errors.ts";
import { pathText } from "../../values/key-path.ts";
import { mapTexts } from "../../values/record.ts";

/** `warnings`: one for each text that contained a key. */
export type WithoutKeys<Value> = { value: Value; warnings: Warning[] };

/** @param redact replaces each key by its name: `[secret ZAI_API_KEY]` */
export function withoutKeys<Value>(value: Value, redact: (text: string) => string): WithoutKeys<Value> {
  const places = new Set<string>();
  const clean = mapTexts(value, (text, path) => {
    const left = redact(text);
    if (left !== text) places.add(pathText(path));
    return left;
  }) as Value;
  if (places.size === 0) return { value, warnings: [] };
  return { value: clean, warnings: [...places].map(keyRemoved) };
}
