/**
 * A request as a script sees it: the same conversation reads the same in all four wire formats. System text stands
 * apart, and the results of one step's tool calls are one `tool` message.
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
  /** Absent where there are none. */
  images?: RequestImage[];
};

export type RequestTool = {
  name: string;
  /** Where the format groups tools (`responses`): a call of this tool has to name its group. */
  namespace?: string;
  description: string;
  schema: unknown;
};

/** What a wire format says, whichever it is. */
export type RequestContent = {
  system: string;
  messages: RequestMessage[];
  tools: RequestTool[];
  /** The effort as it was sent, unchecked. */
  effort?: string | undefined;
  /** Tokens, where thinking was asked for by a budget (Anthropic, Gemini). */
  thinkingBudget?: number | undefined;
  maxTokens?: number | undefined;
};

export type ModelRequest = RequestContent & {
  /** How many requests this server saw before. */
  index: number;
  /** Milliseconds since the epoch, on the server's clock. */
  at: number;
  apiMode: ApiMode;
  path: string;
  model: string;
  streaming: boolean;
  /** Name of the key it carried; absent where the server checks none, or did not know it. */
  keyName?: string;
  headers: IncomingHttpHeaders;
  /** Text of the last user message; empty where there is none. */
  lastUserText: string;
  /** The parsed body, as it arrived. */
  body: Record<string, unknown>;
  bodyBytes: number;
  /** HTTP status that was answered; absent until then, and where the connection was cut instead. */
  status?: number;
};

export type Transcript = {
  user(text: string, images?: RequestImage[]): void;
  assistant(text: string): void;
  toolCall(call: RequestToolCall): void;
  toolResult(result: RequestToolResult): void;
  messages: RequestMessage[];
};

/** Gathers messages: what belongs to one step is one message, however many items its format splits it into. */
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

  return {
    messages,
    user: (text, images = []) =>
      messages.push({ role: "user", text, toolCalls: [], toolResults: [], ...(images.length > 0 && { images }) }),
    assistant: (text) => {
      last("assistant").text += text;
    },
    toolCall: (call) => {
      names.set(call.id, call.name);
      last("assistant").toolCalls.push(call);
    },
    toolResult: (result) => {
      const name = result.name ?? names.get(result.id);
      last("tool").toolResults.push(name === undefined ? result : { ...result, name });
    },
  };
}

export function lastUserText(messages: RequestMessage[]): string {
  return messages.findLast(({ role }) => role === "user")?.text ?? "";
}
