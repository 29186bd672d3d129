/**
 * The public API: the exports of the entry points, and every declaration that they refer to, without comments and
 * function bodies. `npm run api` writes it to `public-api.txt`, the last agreed API.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join, posix } from "node:path";
import { type Comment, type Node, type Program, parseSync, visitorKeys } from "oxc-parser";

export const API_FILE = join(import.meta.dirname, "public-api.txt");

const ENTRY_POINTS = ["index.ts", "ai-sdk.ts", "testing/index.ts"];
const src = join(import.meta.dirname, "..", "..", "src");

type Source = { path: string; text: string; program: Program; comments: Comment[] };
/** Resolves a name: a declaration of a file, or a name imported from another. */
type Origin = { declaration: Node } | { path: string; name: string };

export function publicApi(): string {
  const sources = new Map<string, Source>();
  const shown = new Map<string, string>();

  function sourceOf(path: string): Source {
    const known = sources.get(path);
    if (known !== undefined) return known;
    const text = readFileSync(join(src, path), "utf8");
    const { program, comments } = parseSync(path, text);
    const source = { path, text, program, comments };
    sources.set(path, source);
    return source;
  }

  /** Adds a declaration and all that it refers to. Names that are not declared in `src/` are external. */
  function show(path: string, name: string): void {
    const source = sourceOf(path);
    const origin = originsIn(source).get(name);
    if (origin === undefined) return;
    if ("path" in origin) {
      show(origin.path, origin.name);
      return;
    }
    const id = `${path} ${name}`;
    if (shown.has(id)) return;
    const hidden = bodiesIn(origin.declaration);
    shown.set(id, textOf(source, origin.declaration, hidden));
    for (const used of namesIn(origin.declaration, hidden)) show(path, used);
  }

  const exported = ENTRY_POINTS.map((path) => {
    const names = exportsOf(sourceOf(path));
    for (const name of names) show(path, name);
    return `// ${path} exports ${names.toSorted().join(", ")}`;
  });
  const declarations = [...shown.values()].sort((one, other) => (headOf(one) < headOf(other) ? -1 : 1));
  return `${[...exported, ...declarations].join("\n\n")}\n`;
}

/** The kind and name of a declaration. Moving a file does not change the API. */
function headOf(declaration: string): string {
  return /^[\w ]*/.exec(declaration)?.[0] ?? "";
}

function exportsOf({ program }: Source): string[] {
  const names: string[] = [];
  for (const statement of program.body) {
    if (statement.type !== "ExportNamedDeclaration") continue;
    for (const { exported } of statement.specifiers)
      names.push(exported.type === "Literal" ? exported.value : exported.name);
    if (statement.declaration !== null) names.push(...declaredBy(statement.declaration));
  }
  return names;
}

function originsIn({ path, program }: Source): Map<string, Origin> {
  const origins = new Map<string, Origin>();
  const elsewhere = (specifier: string, name: string, local: string) => {
    if (specifier.startsWith(".")) origins.set(local, { path: posix.join(posix.dirname(path), specifier), name });
  };
  for (const statement of program.body) {
    if (statement.type === "ImportDeclaration") {
      for (const each of statement.specifiers)
        if (each.type === "ImportSpecifier" && each.imported.type === "Identifier")
          elsewhere(statement.source.value, each.imported.name, each.local.name);
    } else if (statement.type === "ExportNamedDeclaration" && statement.source !== null) {
      for (const { local, exported } of statement.specifiers)
        if (local.type === "Identifier" && exported.type === "Identifier")
          elsewhere(statement.source.value, local.name, exported.name);
    } else {
      const declaration = statement.type === "ExportNamedDeclaration" ? statement.declaration : statement;
      if (declaration !== null) for (const name of declaredBy(declaration)) origins.set(name, { declaration });
    }
  }
  return origins;
}

function declaredBy(node: Node): string[] {
  switch (node.type) {
    case "VariableDeclaration":
      return node.declarations.flatMap(({ id }) => (id.type === "Identifier" ? [id.name] : []));
    case "FunctionDeclaration":
    case "ClassDeclaration":
      return node.id === null ? [] : [node.id.name];
    case "TSTypeAliasDeclaration":
    case "TSInterfaceDeclaration":
      return [node.id.name];
    default:
      return [];
  }
}

/** A function's body is not part of its API. */
function bodiesIn(declaration: Node): Node[] {
  const bodies: Node[] = [];
  const hide = ({ body }: { body: Node | null }) => {
    if (body?.type === "BlockStatement") bodies.push(body);
  };
  walk(declaration, (node) => {
    if (node.type === "FunctionDeclaration" || node.type === "FunctionExpression") hide(node);
    if (node.type === "ArrowFunctionExpression") bodies.push(node.body);
  });
  return bodies;
}

function namesIn(declaration: Node, hidden: readonly Node[]): Set<string> {
  const names = new Set<string>();
  walk(declaration, (node) => {
    const isHidden = hidden.some(({ start, end }) => node.start >= start && node.end <= end);
    if (node.type === "Identifier" && !isHidden) names.add(node.name);
  });
  return names;
}

function textOf({ text, comments }: Source, { start, end }: Node, hidden: readonly Node[]): string {
  const cuts = [...comments, ...hidden].filter((cut) => cut.start >= start && cut.end <= end);
  let result = "";
  let at = start;
  for (const cut of cuts.sort((one, other) => one.start - other.start)) {
    if (cut.start < at) continue;
    result += text.slice(at, cut.start);
    at = cut.end;
  }
  return (result + text.slice(at, end)).replace(/[ \t]+$/gm, "").replace(/\n{2,}/g, "\n");
}

function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const key of visitorKeys[node.type] ?? []) {
    const value: unknown = Reflect.get(node, key);
    for (const child of Array.isArray(value) ? value : [value]) if (isNode(child)) walk(child, visit);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}

if (import.meta.main) writeFileSync(API_FILE, publicApi());
