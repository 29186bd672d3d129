/** Converts the HTML of a page to Markdown: its article or, where there is none, the whole body. Scripts do not run. */
import { Readability } from "@mozilla/readability";
import { parseHTML } from "linkedom/worker";
import Turndown from "turndown";

export type ReadablePage = { title: string; markdown: string };

/** The used part of the libraries' elements, whose own types need those of a browser. */
type PageNode = {
  nodeName: string;
  textContent: string | null;
  parentNode: PageNode | null;
  previousSibling: PageNode | null;
  childNodes: { length: number };
};
type PageElement = PageNode & {
  cloneNode(deep: boolean): PageElement;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): readonly PageElement[];
  remove(): void;
};
type PageDocument = {
  body: PageElement;
  querySelector(selector: string): PageElement | null;
  querySelectorAll(selector: string): Iterable<PageElement>;
};

/** Elements that contain no text to read. */
const NOISE = "title, script, style, noscript, template, iframe, svg, canvas, object, embed, link, meta";
/** Readability finds an article in almost anything; one that is this much shorter than the page is a part of it. */
const LEAST_SHARE = 0.1;
/** A page with more elements, or deeper ones, is shown whole: finding its article takes the cube of the depth. */
const MAX_ELEMENTS = 20_000;
const MAX_DEPTH = 150;
/** The depth at which browsers flatten a page. A deeper one leaves its text, without Markdown. */
const MAX_MARKDOWN_DEPTH = 512;
/** The parser keeps these as they are written, and would lose what is outside of a body. */
const FRAME = /<!doctype[^>]{0,2000}>|<\/?(?:html|head|body)(?:\s[^>]{0,2000})?>/gi;

/** @param address URL of the page, to which its links are relative */
export function readablePage(html: string, address: string): ReadablePage {
  const { document }: { document: PageDocument } = parseHTML(`<html><body>${html.replace(FRAME, "")}</body></html>`);
  const base = baseOf(document, address);
  const title = (document.querySelector("title")?.textContent ?? "").replace(/\s+/g, " ").trim();
  for (const noise of document.querySelectorAll(NOISE)) noise.remove();
  const depth = depthOf(document.body);
  if (depth > MAX_MARKDOWN_DEPTH) return { title, markdown: plainText(document.body) };
  return { title, markdown: markdownOf(contentOf(document, depth), base) };
}

/** The article or, if there is none, the body. Looking for the article changes the document. */
function contentOf(document: PageDocument, depth: number): PageElement {
  if (depth > MAX_DEPTH || document.body.querySelectorAll("*").length > MAX_ELEMENTS) return document.body;
  const whole = document.body.cloneNode(true);
  const article = new Readability<PageElement>(document, { serializer: (node) => node, keepClasses: true }).parse()
    ?.content;
  return article && textLength(article) >= textLength(whole) * LEAST_SHARE ? article : whole;
}

/** Levels of elements below one, as far as it matters. */
function depthOf(body: PageElement): number {
  const depths = new Map<PageNode | null, number>();
  let deepest = 0;
  for (const element of body.querySelectorAll("*")) {
    const depth = (depths.get(element.parentNode) ?? 0) + 1; // Its parent comes before it.
    depths.set(element, depth);
    deepest = Math.max(deepest, depth);
    if (deepest > MAX_MARKDOWN_DEPTH) break;
  }
  return deepest;
}

function textLength({ textContent }: PageNode): number {
  return (textContent ?? "").replace(/\s+/g, " ").length;
}

function plainText({ textContent }: PageNode): string {
  return (textContent ?? "").replace(/\n\s*\n/g, "\n\n").trim();
}

function markdownOf(content: PageElement, base: string): string {
  return createConverter(base).turndown(content).trim();
}

function baseOf(document: PageDocument, address: string): string {
  const written = document.querySelector("base[href]")?.getAttribute("href") ?? "";
  return URL.parse(written, address)?.href ?? address;
}

function createConverter(base: string): Turndown {
  const converter = new Turndown({
    headingStyle: "atx",
    codeBlockStyle: "fenced",
    bulletListMarker: "-",
    emDelimiter: "*",
  });
  converter.addRule("link", {
    filter: (node) => node.nodeName === "A" && node.hasAttribute("href"),
    replacement: (content, node) => linkTo(onOneLine(content), node, base),
  });
  converter.addRule("image", {
    filter: "img",
    replacement(_, node) {
      const text = attribute(node, "alt").replace(/\s+/g, " ").trim();
      const target = addressIn(attribute(node, "src"), base);
      return text === "" && target === undefined ? "" : `![${text}]${target === undefined ? "" : `(${target})`}`;
    },
  });
  converter.addRule("cell", { filter: ["td", "th"], replacement: cellOf });
  converter.addRule("rows", { filter: ["thead", "tbody", "tfoot"], replacement: (content) => content });
  converter.addRule("table", { filter: "table", replacement: (content) => `\n\n${content.trim()}\n\n` });
  converter.addRule("row", { filter: "tr", replacement: (content, node) => `\n|${content}${separatorBelow(node)}` });
  return converter;
}

function linkTo(text: string, node: PageElement, base: string): string {
  const target = addressIn(attribute(node, "href"), base);
  return target === undefined || text === "" ? text : `[${text}](${target})`;
}

/** The absolute URL; undefined for one that leads to no page, such as `javascript:` or `data:`. */
function addressIn(written: string, base: string): string | undefined {
  const url = URL.parse(written.trim(), base);
  if (url === null || !/^(https?|mailto):$/.test(url.protocol)) return undefined;
  return url.href.replace(/[()]/g, (bracket) => (bracket === "(" ? "%28" : "%29"));
}

function attribute(node: PageElement, name: string): string {
  return node.getAttribute(name) ?? "";
}

function cellOf(content: string): string {
  return ` ${onOneLine(content).replaceAll("|", "\\|")} |`;
}

function onOneLine(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .join(" ");
}

/** Markdown wants a line below the first row of a table. */
function separatorBelow(row: PageNode): string {
  const { parentNode, previousSibling } = row;
  const isFirst = previousSibling === null && (parentNode?.nodeName !== "TBODY" || parentNode.previousSibling === null);
  return isFirst ? `\n|${" --- |".repeat(row.childNodes.length)}` : "";
}
