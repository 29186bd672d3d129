/** Text within a block: emphasis, code, links. What a terminal cannot show, such as HTML, stays as it is written. */
import type { MarkedToken, Token } from "marked";
import { span, type TextSpan, withStyles } from "./spans.ts";

type InlineRenderers = { [type in MarkedToken["type"]]?: (token: Extract<MarkedToken, { type: type }>) => TextSpan[] };

const INLINE: InlineRenderers = {
  text: (token) => (token.tokens === undefined ? [span(decoded(token.text))] : inlineSpans(token.tokens)),
  escape: ({ text }) => [span(text)],
  strong: ({ tokens }) => withStyles(inlineSpans(tokens), "bold"),
  em: ({ tokens }) => withStyles(inlineSpans(tokens), "italic"),
  del: ({ tokens }) => withStyles(inlineSpans(tokens), "strikethrough"),
  codespan: ({ text }) => [span(text, "cyan")],
  br: () => [span("\n")],
  link: ({ tokens, href }) => linked(withStyles(inlineSpans(tokens), "underline"), href),
  image: ({ text, href }) => linked([span(text, "italic")], href),
  checkbox: () => [], // Its item shows it.
};

export function inlineSpans(tokens: readonly Token[]): TextSpan[] {
  return tokens.flatMap((token) => {
    // The lexer has no extensions: every token is one of its own.
    const render = INLINE[token.type as MarkedToken["type"]] as ((token: Token) => TextSpan[]) | undefined;
    return render === undefined ? [span(token.raw)] : render(token);
  });
}

/** An address that the text does not show follows it: nobody sees where it leads otherwise. */
function linked(text: TextSpan[], href: string): TextSpan[] {
  const shown = text.map((each) => each.text).join("");
  return href === shown || href === `mailto:${shown}` ? text : [...text, span(` (${href})`, "dim")];
}

const ENTITIES: Record<string, string> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'", nbsp: " " };

function decoded(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
