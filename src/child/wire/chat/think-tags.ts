/**
 * Reasoning that a model writes into its answer, between tags at the very start. Servers that know the model take it out
 * and send it in a field of its own; others pass it on. Tags that come later are part of the answer.
 */

/** How reasoning is marked. Every mark that ends it is tried, the one that comes first counts. */
type ThinkTag = { open: string; close: readonly string[]; of: string; source: string };

const THINK_TAGS: readonly ThinkTag[] = [
  {
    open: "<think>",
    close: ["</think>"],
    of: "DeepSeek R1, Qwen, GLM, MiniMax M2 and most others",
    source: "https://platform.minimax.io/docs/guides/text-m2-function-call",
  },
  {
    open: "<thinking>",
    close: ["</thinking>"],
    of: "models that were asked to think aloud",
    source: "decolua/9router#2158",
  },
  {
    open: "<thought>",
    close: ["</thought>"],
    of: "Gemini behind its chat endpoint",
    source:
      "https://ai.google.dev/gemini-api/docs/openai: include_thoughts; open-webui/open-webui: DEFAULT_REASONING_TAGS",
  },
  {
    open: "<reasoning>",
    close: ["</reasoning>"],
    of: "tuned models",
    source: "open-webui/open-webui: backend/open_webui/utils/middleware.py, DEFAULT_REASONING_TAGS",
  },
  {
    open: "[THINK]",
    close: ["[/THINK]"],
    of: "Mistral's Magistral on vLLM and llama.cpp",
    source: "https://huggingface.co/mistralai/Magistral-Small-2509",
  },
  {
    open: "<seed:think>",
    close: ["</seed:think>"],
    of: "Seed-OSS",
    source: "https://huggingface.co/ByteDance-Seed/Seed-OSS-36B-Instruct",
  },
  {
    open: "◁think▷",
    close: ["◁/think▷"],
    of: "Kimi-VL",
    source: "https://huggingface.co/moonshotai/Kimi-VL-A3B-Thinking",
  },
  {
    open: "<|START_THINKING|>",
    close: ["<|END_THINKING|>"],
    of: "Cohere's Command A",
    source: "https://huggingface.co/CohereLabs/command-a-reasoning-08-2025",
  },
  {
    open: "<|channel|>analysis<|message|>",
    close: [
      "<|end|><|start|>assistant<|channel|>final<|message|>",
      "<|start|>assistant<|channel|>final<|message|>",
      "<|channel|>final<|message|>",
    ],
    of: "gpt-oss where its server does not read harmony",
    source: "https://cookbook.openai.com/articles/openai-harmony",
  },
];

/** Some templates open the reasoning in the prompt: the answer holds only its end. https://github.com/vllm-project/vllm/issues/13125 */
const LONE_OPEN = "<think>";
const LONE_CLOSE = "</think>";

/** Most blanks that are kept back to be dropped before or after a tag, in characters. */
const MAX_BLANKS = 1_024;

/** `text-was-reasoning`: all text until here. */
export type ThinkPiece = { type: "text" | "reasoning"; text: string } | { type: "text-was-reasoning" };

export type ThinkSplitter = {
  read(piece: string): ThinkPiece[];
  /** @param hasCalls tool calls follow: reasoning may then be all of the text */
  end(isFinished: boolean, hasCalls: boolean): ThinkPiece[];
};

export function createThinkSplitter(): ThinkSplitter {
  let state: "start" | "thinking" | "answer" = "start";
  let tag: ThinkTag | undefined;
  /** Arrived and not yet emitted. */
  let held = "";
  /** All that stood between the tags, and whether there was more than blanks. */
  let thought = "";
  let hasThought = false;
  /** The text so far, as long as its end may turn out to be that of reasoning. */
  let text: string | undefined = "";

  function read(piece: string): ThinkPiece[] {
    held += piece;
    const pieces: ThinkPiece[] = [];
    if (state === "start") readStart();
    while (state === "thinking" && readThought(pieces)) readStart();
    if (state === "answer") readAnswer(pieces);
    return pieces;
  }

  function readStart(): void {
    const begun = held.trimStart();
    tag = THINK_TAGS.find(({ open }) => begun.startsWith(open));
    if (tag !== undefined) {
      held = begun.slice(tag.open.length);
      thought = "";
      hasThought = false;
      text = undefined;
      state = "thinking";
      return;
    }
    const mayOpen = THINK_TAGS.some(({ open }) => open.startsWith(begun));
    if (mayOpen && held.length <= MAX_BLANKS) {
      state = "start";
      return;
    }
    // Blanks after reasoning belong to neither.
    if (text === undefined) held = begun;
    state = "answer";
  }

  /** Returns whether the reasoning is over. */
  function readThought(pieces: ThinkPiece[]): boolean {
    const close = firstOf(tag?.close ?? [], held);
    const end = close === undefined ? safeEnd(held, tag?.close ?? []) : held.indexOf(close);
    emitThought(pieces, close === undefined ? held.slice(0, end) : held.slice(0, end).trimEnd());
    held = held.slice(end + (close?.length ?? 0));
    return close !== undefined;
  }

  function emitThought(pieces: ThinkPiece[], words: string): void {
    const spoken = hasThought ? words : words.trimStart();
    thought += words;
    hasThought ||= spoken !== "";
    if (spoken !== "") pieces.push({ type: "reasoning", text: spoken });
  }

  function readAnswer(pieces: ThinkPiece[]): void {
    const open = text === undefined ? -1 : held.indexOf(LONE_OPEN);
    const close = text === undefined ? -1 : held.indexOf(LONE_CLOSE);
    if (open !== -1 && (close === -1 || open < close)) text = undefined;
    if (text === undefined) emitText(pieces, held.length);
    else if (close === -1) emitText(pieces, held.length - overlap(held, [LONE_OPEN, LONE_CLOSE]));
    else readLoneClose(pieces, close);
  }

  function readLoneClose(pieces: ThinkPiece[], at: number): void {
    emitText(pieces, at);
    const after = held.slice(LONE_CLOSE.length);
    // What follows tells whether it ends reasoning.
    if (after.trim() === "" && after.length <= MAX_BLANKS) return;
    if (endsReasoning(text ?? "", after)) {
      pieces.push({ type: "text-was-reasoning" });
      held = after.trimStart();
    }
    text = undefined;
    emitText(pieces, held.length);
  }

  function emitText(pieces: ThinkPiece[], length: number): void {
    const words = held.slice(0, length);
    held = held.slice(length);
    if (text !== undefined) text += words;
    if (words !== "") pieces.push({ type: "text", text: words });
  }

  function end(isFinished: boolean, hasCalls: boolean): ThinkPiece[] {
    const pieces: ThinkPiece[] = [];
    if (state === "thinking") {
      const whole = `${tag?.open}${thought}${held}`;
      emitThought(pieces, held.trimEnd());
      // A finished answer that never left its reasoning is one that begins with the tag.
      if (isFinished && !hasCalls) pieces.push({ type: "text", text: whole });
    } else if (hasCalls && text !== undefined && held.startsWith(LONE_CLOSE))
      pieces.push({ type: "text-was-reasoning" });
    else if (text !== undefined || held.trim() !== "") emitText(pieces, held.length);
    held = "";
    return pieces;
  }

  return { read, end };
}

/** Whether a closing tag without an opening one ends reasoning, rather than being spoken of. */
function endsReasoning(before: string, after: string): boolean {
  if (before.trim() === "") return !/^[`'"”’)\].,;:!?]/.test(after);
  const isQuoted = /[`'"“‘([*]$/.test(before) || /^[`'"”’)\]*.,;:!?]/.test(after);
  const isAWord = /[ \t]$/.test(before) && /^[ \t]/.test(after);
  const isInCode = before.split("```").length % 2 === 0;
  const isInJson = /^\s*[[{]/.test(before);
  return !(isQuoted || isAWord || isInCode || isInJson);
}

function firstOf(words: readonly string[], text: string): string | undefined {
  let first: { word: string; at: number } | undefined;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at !== -1 && (first === undefined || at < first.at)) first = { word, at };
  }
  return first?.word;
}

/** Where a text can be cut: what follows are blanks, or what may become one of the words. */
function safeEnd(text: string, words: readonly string[]): number {
  const end = text.length - overlap(text, words);
  const blanks = end - text.slice(Math.max(0, end - MAX_BLANKS), end).trimEnd().length - Math.max(0, end - MAX_BLANKS);
  return blanks < MAX_BLANKS ? end - blanks : end;
}

/** The length of the longest end of a text that one of the words begins with. */
function overlap(text: string, words: readonly string[]): number {
  return Math.max(...words.map((word) => overlapWith(text, word)));
}

function overlapWith(text: string, word: string): number {
  const first = word.charAt(0);
  let at = text.indexOf(first, text.length - word.length + 1);
  while (at !== -1 && !word.startsWith(text.slice(at))) at = text.indexOf(first, at + 1);
  return at === -1 ? 0 : text.length - at;
}
