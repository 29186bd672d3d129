/**
 * `npm run docs`: writes the generated parts of the documentation, each between its markers, from the code that defines
 * the facts. The rest of the pages is written by hand. `test/docs.slow.test.ts` fails if a part is stale.
 */
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { PARTS } from "./docs/parts.ts";

const MARKED = /(<!-- generated: ([\w-]+), by npm run docs -->\n)[\s\S]*?(<!-- end -->)/g;

/** A page with its generated parts refreshed. */
export function refreshed(page: string): string {
  return page.replaceAll(MARKED, (_, start: string, name: string, end: string) => {
    const part = PARTS[name];
    if (part === undefined) throw new Error(`Expected a part out of ${Object.keys(PARTS).join(", ")}; found ${name}.`);
    return `${start}\n${part()}\n\n${end}`;
  });
}

if (import.meta.main) {
  const folder = join(import.meta.dirname, "..", "docs");
  for (const name of globSync("*.md", { cwd: folder })) {
    const page = readFileSync(join(folder, name), "utf8");
    if (refreshed(page) !== page) writeFileSync(join(folder, name), refreshed(page));
  }
}
