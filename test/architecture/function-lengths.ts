/** Measures the length of each function of a source file from its syntax tree. */
import { type Node, parseSync, visitorKeys } from "oxc-parser";
import type { SourceFile } from "./source-facts.ts";

export type FunctionLength = {
  /** File and name: `child/loop.ts converse`. A function without a name has its parent's name with a star. */
  name: string;
  /** Lines from the first to the last, nested functions included. */
  total: number;
  /** Lines outside of nested functions. A nested function of one line counts here. */
  own: number;
};

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** The functions of a file, outer ones first. */
export function functionLengths(file: SourceFile): FunctionLength[] {
  const { program, errors } = parseSync(file.path, file.text);
  if (errors.length > 0) throw new Error(`${file.path} does not parse: ${errors[0]?.message}`);
  const lengths: FunctionLength[] = [];
  const linesIn = ({ start, end }: Node) => file.text.slice(start, end).split("\n").length;

  /** Returns the lines of the outermost functions in a node. */
  function visit(node: Node, name: string): number {
    if (!FUNCTIONS.has(node.type)) return visitChildren(node, name);
    const ownName = identifierIn(node, "id") ?? name;
    const length = { name: `${file.path} ${ownName}`, total: linesIn(node), own: 0 };
    lengths.push(length);
    length.own = length.total - visitChildren(node, `${ownName}*`);
    return length.total > 1 ? length.total : 0;
  }

  function visitChildren(node: Node, name: string): number {
    let sum = 0;
    for (const [key, child] of childrenOf(node)) sum += visit(child, nameGiven(node, key) ?? name);
    return sum;
  }

  visit(program, "*");
  return lengths;
}

/** The name that a variable, a property or a method gives to the function it holds. */
function nameGiven(node: Node, key: string): string | undefined {
  if (node.type === "VariableDeclarator") return key === "init" ? identifierIn(node, "id") : undefined;
  return key === "value" ? identifierIn(node, "key") : undefined;
}

function identifierIn(node: Node, key: string): string | undefined {
  const found: unknown = Reflect.get(node, key);
  return isNode(found) && found.type === "Identifier" ? found.name : undefined;
}

function childrenOf(node: Node): [key: string, child: Node][] {
  return (visitorKeys[node.type] ?? []).flatMap((key) => {
    const value: unknown = Reflect.get(node, key);
    const nodes: unknown[] = Array.isArray(value) ? value : [value];
    return nodes.filter(isNode).map((child): [string, Node] => [key, child]);
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value;
}
