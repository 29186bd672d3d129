/**
 * Splits a Markdown text that arrives in pieces into blocks that nothing later can change: up to an empty line before
 * text that is not indented, and from the fence of a code block to its end.
 */

export type MarkdownBlock = {
  text: string;
  /** Whether empty lines stand between it and the block before. */
  isApart: boolean;
};

export type BlockSplitter = {
  /** @returns the blocks that the piece completed */
  add(piece: string): MarkdownBlock[];
  /** The block that still grows; its text is empty if there is none. */
  readonly open: MarkdownBlock;
  /** @returns the block that was open, if any */
  end(): MarkdownBlock[];
};

export function createBlockSplitter(): BlockSplitter {
  let lines: string[] = [];
  let line = "";
  /** The fence that the open block began with and has not closed. */
  let fence: string | undefined;
  let isAfterBlank = false;
  let isApart = false;

  function complete(): MarkdownBlock[] {
    const block = { text: lines.join("\n"), isApart };
    const isEmpty = lines.length === 0;
    lines = [];
    fence = undefined;
    if (isEmpty) return [];
    isApart = isAfterBlank;
    isAfterBlank = false;
    return [block];
  }

  function take(next: string): MarkdownBlock[] {
    if (fence !== undefined) {
      lines.push(next);
      if (!closes(next, fence)) return [];
      fence = undefined;
      return isIndented(lines[0] ?? "") || !FENCE.test(lines[0] ?? "") ? [] : complete();
    }
    if (next.trim() === "") {
      if (lines.length === 0) isApart = true;
      else lines.push(next);
      isAfterBlank = lines.length > 0;
      return [];
    }
    const [, opening] = FENCE.exec(next) ?? [];
    const isNew = !isIndented(next) && (isAfterBlank || opening !== undefined);
    const blocks = isNew ? complete() : [];
    lines.push(next);
    isAfterBlank = false;
    fence = opening;
    return blocks;
  }

  return {
    add(piece) {
      const [first = "", ...more] = piece.split("\n");
      line += first;
      const blocks: MarkdownBlock[] = [];
      for (const next of more) {
        blocks.push(...take(line.replace(/\r$/, "")));
        line = next;
      }
      return blocks;
    },
    get open() {
      return { text: [...lines, line].join("\n"), isApart };
    },
    end() {
      const before = line === "" ? [] : take(line);
      line = "";
      const blocks = [...before, ...complete()];
      isApart = isAfterBlank = false;
      return blocks;
    },
  };
}

/** The information after backticks contains none: otherwise they are code in a paragraph. */
const FENCE = /^\s*(`{3,}(?=[^`]*$)|~{3,})/;

function closes(line: string, fence: string): boolean {
  const marks = line.trim();
  return marks.startsWith(fence) && marks.replaceAll(fence.charAt(0), "") === "";
}

function isIndented(line: string): boolean {
  return /^[ \t]/.test(line);
}
