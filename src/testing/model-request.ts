/**
 * A request as a script sees it: the same conversation looks the same in all four wire formats. System text is
 * separate, and the results of one step's tool calls are one `tool` message.
 */
import type { IncomingHttpHeaders } from "node:http";
import type { ApiMode } from "../route.ts";
import type { RequestImage } from "./request-images.ts";

export type RequestToolCall = { id: string; name: string; input: unknown };
export type RequestToolResult = { id: string; name?: string; text: string };

export type RequestMessage = {
  role: "user" | "assistant" | "tool";
  text: string;
  toolCalls: RequestToolCall[];
  toolResults: RequestToolResult[];
  /** Absent if there are none. */
  images?: RequestImage[];
};

export type RequestTool = {
  name: string;
  /** If the format groups tools (`responses`), a call of this tool must name its group. */
  namespace?: string;
  description: string;
  schema: unknown;
};

/** The content common to all wire formats. */
export type RequestContent = {
  system: string;
  messages: RequestMessage[];
  tools: RequestTool[];
  /** The effort as sent, unchecked. */
  effort?: string | undefined;
  /** Tokens, if thinking was requested as a budget (Anthropic, Gemini). */
  thinkingBudget?: number | undefined;
  maxTokens?: number | undefined;
};

export type ModelRequest = RequestContent & {
  /** Number of earlier requests to this server. */
  index: number;
  /** Milliseconds since the epoch, on the server's clock. */
  at: number;
  apiMode: ApiMode;
  path: string;
  model: string;
  streaming: boolean;
  /** Name of its key; absent if the server does not check keys, or does not know it. */
  keyName?: string;
  headers: IncomingHttpHeaders;
  /** Text of the last user message; empty if there is none. */
  lastUserText: string;
  /** The parsed body, as it arrived. */
  body: Record<string, unknown>;
  bodyBytes: number;
  /** HTTP status of the response; absent until then, and if the connection was cut instead. */
  status?: number;
};

export type Transcript = {
  user(text: string, images?: RequestImage[]): void;
  assistant(text: string): void;
  toolCall(call: RequestToolCall): void;
  toolResult(result: RequestToolResult): void;
  /** What a model said, in one message. */
  answer(said: { text: string; calls: readonly RequestToolCall[] }): void;
  /** Results, text and images, in one message of the user's. */
  request(sent: { text: string; results: readonly RequestToolResult[]; images?: RequestImage[] }): void;
  messages: RequestMessage[];
};

/** Collects messages: the parts of one step are one message, however many items its format splits it into. */
export function createTranscript(): Transcript {
  const messages: RequestMessage[] = [];
  const names = new Map<string, string>();

  function last(role: RequestMessage["role"]): RequestMessage {
    const message = messages.at(-1);
    if (message?.role === role) return message;
    const added: RequestMessage = { role, text: "", toolCalls: [], toolResults: [] };
    messages.push(added);
    return added;
  }

  function user(text: string, images: RequestImage[] = []): void {
    messages.push({ role: "user", text, toolCalls: [], toolResults: [], ...(images.length > 0 && { images }) });
  }

  function assistant(text: string): void {
    last("assistant").text += text;
  }

  function toolCall(call: RequestToolCall): void {
    names.set(call.id, call.name);
    last("assistant").toolCalls.push(call);
  }

  function toolResult(result: RequestToolResult): void {
    const name = result.name ?? names.get(result.id);
    last("tool").toolResults.push(name === undefined ? result : { ...result, name });
  }

  return {
    messages,
    user,
    assistant,
    toolCall,
    toolResult,
    answer: ({ text, calls }) => {
      assistant(text);
      calls.forEach(toolCall);
    },
    request: ({ text, results, images = [] }) => {
      results.forEach(toolResult);
      if (text !== "" || images.length > 0 || results.length === 0) user(text, images);
    },
  };
}

export function lastUserText(messages: RequestMessage[]): string {
  return messages.findLast(({ role }) => role === "user")?.text ?? "";
}
