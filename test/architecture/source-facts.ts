/**
 * Facts about one source file that the architecture rules need, from its syntax tree rather than regular expressions.
 */
import { type Argument, parseSync, Visitor } from "oxc-parser";

/** A file of `src/`, by its relative path: `child/loop.ts`. */
export type SourceFile = { path: string; text: string };

export type SourceFacts = {
  path: string;
  /** Every specifier of any form: `import`, `import type`, `export … from`, `import()`, `typeof import()`. */
  imports: string[];
  /** `import(expression)`: an unreadable import. */
  hasComputedImport: boolean;
  readsEnvironment: boolean;
  revealsSecret: boolean;
  /** Set if the file uses the type `any`. */
  saysAny: boolean;
  /** Names of types and interfaces that it declares at the top level. */
  types: string[];
};

export function factsOf(file: SourceFile): SourceFacts {
  const { program, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new Error(`${file.path} does not parse: ${errors[0]?.message}`);
  const facts: SourceFacts = {
    path: file.path,
    imports: [],
    hasComputedImport: false,
    readsEnvironment: false,
    revealsSecret: false,
    saysAny: false,
    types: [],
  };
  const specifier = (source: { value: unknown } | null) => {
    if (source !== null) facts.imports.push(String(source.value));
  };
  new Visitor({
    ImportDeclaration({ source, specifiers }) {
      specifier(source);
      const names = specifiers.map((each) => (each.type === "ImportSpecifier" ? nameOf(each.imported) : "*"));
      if (source.value === "node:process" && names.includes("env")) facts.readsEnvironment = true;
    },
    ExportNamedDeclaration: ({ source }) => specifier(source),
    ExportAllDeclaration: ({ source }) => specifier(source),
    TSImportType: ({ source }) => specifier(source),
    ImportExpression({ source }) {
      if (source.type === "Literal") specifier(source);
      else facts.hasComputedImport = true;
    },
    MemberExpression({ object, property }) {
      if (isNamed(object, "process") && nameOf(property) === "env") facts.readsEnvironment = true;
    },
    VariableDeclarator({ id, init }) {
      if (init === null || !isNamed(init, "process") || id.type !== "ObjectPattern") return;
      if (id.properties.some((each) => each.type === "Property" && nameOf(each.key) === "env")) {
        facts.readsEnvironment = true;
      }
    },
    CallExpression({ callee }) {
      if (callee.type === "MemberExpression" && nameOf(callee.property) === "reveal") facts.revealsSecret = true;
    },
    TSTypeAliasDeclaration: ({ id }) => void facts.types.push(id.name),
    TSInterfaceDeclaration: ({ id }) => void facts.types.push(id.name),
    TSAnyKeyword() {
      facts.saysAny = true;
    },
  }).visit(program);
  return facts;
}

type NodeLike = { type: string; name?: unknown; value?: unknown };

function isNamed(node: Argument, name: string): boolean {
  return node.type === "Identifier" && node.name === name;
}

/** Handles `x.name` and `x["name"]`. */
export function nameOf(node: NodeLike): unknown {
  return node.type === "Literal" ? node.value : node.name;
}
