/** Finds what project notes import: `@docs/rules.md` in the text, but not in code, nor in comments. */

/** The paths after `@`, each once, as written. */
export function importsIn(text: string): string[] {
  const prose = withoutComments(withoutFences(text))
    .split(/\n[ \t]*\n/)
    .map(withoutSpans)
    .join("\n\n");
  const found = prose.matchAll(/(?<![^\s([{"'*_>])@((?:\\ |[^\s\\]){1,300})/g);
  const paths = Array.from(found, ([, path = ""]) => path.replaceAll("\\ ", " ").replace(/[.,;:!?)\]}"'*_<>]+$/, ""));
  return [...new Set(paths.filter((path) => path !== ""))];
}

/** The text without HTML comments; one without an end stays. */
export function withoutComments(text: string): string {
  const pieces: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf("<!--", at);
    const end = start < 0 ? -1 : text.indexOf("-->", start + 4);
    if (end < 0) return [...pieces, text.slice(at)].join("");
    pieces.push(text.slice(at, start));
    at = end + 3;
  }
}

/** Leaves out fenced code blocks. One without an end goes on to the end of the text. */
function withoutFences(text: string): string {
  let fence: string | undefined;
  const prose = text.split("\n").filter((line) => {
    const [, marks = "", info = ""] = /^ {0,3}(`{3,}|~{3,})(.*)/.exec(line.trimEnd()) ?? [];
    if (fence === undefined) {
      if (marks !== "" && !(marks.startsWith("`") && info.includes("`"))) fence = marks;
      return fence === undefined;
    }
    if (marks.startsWith(fence) && info === "") fence = undefined;
    return false;
  });
  return prose.join("\n");
}

/** Leaves out code spans: from a run of backticks to the next one of the same length. */
function withoutSpans(paragraph: string): string {
  const pieces = paragraph.split(/(`+)/);
  const nextByLength = new Map<number, number>();
  const closing = new Map<number, number>();
  for (let at = pieces.length - 2; at > 0; at -= 2) {
    const length = pieces[at]?.length ?? 0;
    const next = nextByLength.get(length);
    if (next !== undefined) closing.set(at, next);
    nextByLength.set(length, at);
  }
  const prose = [pieces[0]];
  for (let at = 1; at < pieces.length; at += 2) {
    at = closing.get(at) ?? at;
    prose.push(" ", pieces[at + 1]);
  }
  return prose.join("");
}
