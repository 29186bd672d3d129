/** A page of Markdown as the tests see it: its fenced blocks, links, anchors, tables, and the text between them. */

/** `kind` is the second word after the fence. For a block of YAML it names the kind of example. */
export type Block = { language: string; kind: string; text: string; line: number };

const FENCED = /^```(\S*) ?(\S*)\n([\s\S]*?)^```$/gm;

export function blocksOf(page: string): Block[] {
  return [...page.matchAll(FENCED)].map(({ index, 1: language = "", 2: kind = "", 3: text = "" }) => ({
    language,
    kind,
    text,
    line: page.slice(0, index).split("\n").length,
  }));
}

/** Inline code outside of blocks. */
export function codeSpansOf(page: string): string[] {
  return [...prose(page).matchAll(/`([^`\n]+)`/g)].map(([, text = ""]) => text.replaceAll("\\|", "|"));
}

export function linksOf(page: string): string[] {
  return [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
}

/** Valid targets of `#…`, by GitHub's rule for headings. */
export function anchorsOf(page: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose(page).matchAll(/^#+ (.+)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(" ", "-");
    anchors.add(anchors.has(slug) ? `${slug}-1` : slug);
  }
  return anchors;
}

/** The text under one heading, up to the next of the same level. */
export function sectionOf(page: string, heading: string): string {
  const [, section] = page.split(`## ${heading}\n`);
  if (section === undefined) throw new Error(`There is no section "${heading}".`);
  return section.split("\n## ")[0] ?? "";
}

/** The code in the first column of every table. */
export function firstColumnOf(text: string): string[] {
  const cells = [...text.matchAll(/^\| (`[^|]*) \|/gm)].map(([, cell = ""]) => cell);
  return cells.flatMap(codeSpansOf);
}

function prose(page: string): string {
  return page.replaceAll(FENCED, "");
}
