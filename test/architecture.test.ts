/** Imports in `src/` follow the architecture rules, and the checker detects violations. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { breachesOf } from "./architecture/rules.ts";
import { factsOf, type SourceFile } from "./architecture/source-facts.ts";

const src = join(import.meta.dirname, "..", "src");
const files: SourceFile[] = globSync("**/*.ts", { cwd: src }).map((path) => ({
  path,
  text: readFileSync(join(src, path), "utf8"),
}));

describe("the source", () => {
  test("follows the architecture rules", () => {
    const breaches = breachesOf(files);
    assert.ok(breaches.length === 0, breaches.join("\n"));
  });

  test("reveals a key in exactly one file", () => {
    assert.equal(files.filter((file) => file.text.includes("reveal") && factsOf(file).revealsSecret).length, 1);
  });
});

describe("connections to other machines", () => {
  const having = (text: RegExp) => files.filter((file) => text.test(file.text)).map(({ path }) => path);

  test("are opened by the transport, by the guarded requests for pages, and by the proxy of sandboxes", () => {
    const others =
      /(require|import)\("undici|import (?!type)[^;]*from "undici|import \{[^}]*\b(request|connect)\b[^}]*\} from "node:(https?|net|tls|dgram)"/;
    assert.deepEqual(having(others).sort(), [
      "child/wire/transport.ts",
      "tools/sandbox/network-proxy.ts",
      "tools/web/response.ts",
    ]);
    assert.deepEqual(having(/(?<!typeof )\bglobalThis\.fetch\b/), []);
  });

  test("have a purpose that docs/safety.md names under “What Deputy sends”", () => {
    const purposes = {
      "engine/setup/open-deputy.ts": "model requests",
      "engine/setup/provider-lists.ts": "the lists of models",
      "engine/setup/try-route.ts": "a test of each key",
      "engine/setup/post-form.ts": "token requests",
      "engine/setup/try-servers.ts": "mcp_servers",
      "engine/setup/webhook.ts": "webhook",
      "engine/setup/search-engine.ts": "search engine",
      "tools/web/download.ts": "pages",
    };
    const senders = having(/(?<!function )\b(openTransport|requestOnce|getOnce)\(/);
    const withPurpose = senders.filter((path) => path !== "engine/setup/request-once.ts");
    assert.deepEqual(withPurpose.sort(), Object.keys(purposes).sort());
    const page = readFileSync(join(src, "..", "docs", "safety.md"), "utf8");
    const [, section = ""] = /^## What Deputy sends\n([\s\S]*?)^## /m.exec(page) ?? [];
    for (const purpose of Object.values(purposes)) assert.ok(section.includes(purpose), purpose);
  });
});

describe("the checker", () => {
  const bad: [behaviour: string, files: Record<string, string>, expected: RegExp][] = [
    [
      "an upward arrow",
      { "child/loop.ts": 'import { x } from "../engine/run.ts";' },
      /upward arrow.*engine\/ hands it/,
    ],
    [
      "an upward arrow out of the words",
      { "task.ts": 'import type { X } from "./cli/x.ts";' },
      /words may import nothing/,
    ],
    ["a sideways arrow", { "routing/plan.ts": 'export { y } from "../tools/files.ts";' }, /sideways arrow/],
    ["an arrow of types alone", { "tools/a.ts": 'import type { X } from "../child/b.ts";' }, /sideways arrow/],
    ["an arrow by export *", { "tools/a.ts": 'export * from "../child/b.ts";' }, /sideways arrow/],
    ["an arrow by import()", { "journal/a.ts": 'await import("../child/b.ts");' }, /sideways arrow/],
    ["an arrow by typeof import()", { "journal/a.ts": 'type X = typeof import("../child/b.ts");' }, /sideways arrow/],
    ["a computed import", { "cli/a.ts": "await import(name);" }, /computed path/],
    [
      "the engine importing a surface",
      { "engine/a.ts": 'import "../cli/b.ts";' },
      /engine may import words, system, config, routing/,
    ],
    ["one surface importing another", { "mcp/a.ts": 'import "../web/b.ts";' }, /sideways arrow.*Move what both need/],
    [
      "a surface that is no demo using testing/",
      { "cli/run.ts": 'import "../testing/a.ts";' },
      /testing\/ is for tests/,
    ],
    ["testing/ reaching for the engine", { "testing/a.ts": 'import "../engine/b.ts";' }, /belongs in test\//],
    ["a file outside of src/", { "cli/a.ts": 'import "../../test/b.ts";' }, /outside of src/],
    ["an unknown folder", { "extras/a.ts": "" }, /src\/extras\/ is not a part/],
    [
      "a cycle",
      { "a.ts": 'import "./b.ts";', "b.ts": 'import type {} from "./a.ts";' },
      /a\.ts → b\.ts → a\.ts: a cycle/,
    ],
    [
      "a word importing a package",
      { "task.ts": 'import { parse } from "yaml";' },
      /words import each other, node: and zod/,
    ],
    ["process.env", { "cli/a.ts": "const home = process.env.HOME;" }, /reads process\.env/],
    ['process["env"]', { "cli/a.ts": 'const home = process["env"].HOME;' }, /reads process\.env/],
    ["env taken out of process", { "cli/a.ts": "const { env } = process;" }, /reads process\.env/],
    ["env of node:process", { "cli/a.ts": 'import { env } from "node:process";' }, /reads process\.env/],
    [
      "a type name that is declared twice",
      { "cli/a.ts": "type Row = string;", "mcp/b.ts": "export interface Row { x: 1 }" },
      /Row is declared in cli\/a\.ts, mcp\/b\.ts/,
    ],
    ["any", { "tools/a.ts": "const x: any = 1;" }, /says `any`/],
    ["a name that says nothing", { "tools/path-utils.ts": "" }, /"utils" does not say/],
    ["a barrel", { "tools/index.ts": "" }, /a barrel/],
    [
      "two places that reveal",
      { "child/a.ts": "s.reveal(o);", "child/b.ts": "s.key?.reveal(o);" },
      /one file only may/,
    ],
  ];
  for (const [behaviour, sources, expected] of bad) {
    test(`objects to ${behaviour}`, () => {
      const breaches = breachesOf(sourcesOf(sources));
      assert.equal(breaches.length, 1, breaches.join("\n"));
      assert.match(breaches[0] ?? "", expected);
    });
  }

  test("accepts what the rules allow", () => {
    const good = {
      "task.ts": 'import { z } from "zod"; import { nearest } from "./nearest.ts";',
      "nearest.ts": 'import { inspect } from "node:util";',
      "config/load.ts": 'import { parse } from "yaml"; import "../task.ts"; const home = process.env.HOME;',
      "config/environment.ts": "export const environment = process.env;",
      "journal/sqlite.ts": 'import type { X } from "../task.ts"; import "./memory.ts";',
      "journal/memory.ts": "// any utils of process.env in a comment",
      "engine/engine.ts": 'import "../child/loop.ts"; import "../routing/credentials.ts";',
      "child/loop.ts": 'import { stream } from "undici"; secret.reveal(origin);',
      "testing/index.ts": 'export * from "../journal/memory.ts";',
      "index.ts": 'export { submit } from "./engine/engine.ts";',
      "cli/commands/demo.ts":
        'import "../../testing/index.ts"; import "../../engine/engine.ts"; const text = "process.env";',
    };
    assert.deepEqual(breachesOf(sourcesOf(good)), []);
  });
});

function sourcesOf(sources: Record<string, string>): SourceFile[] {
  return Object.entries(sources).map(([path, text]) => ({ path, text }));
}
