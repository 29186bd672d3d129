/**
 * MCP clients as agent programs use them, behind one interface: the 1.x SDK, and the 2.x SDK with either protocol
 * revision.
 */
import { Client, InMemoryTransport, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as OldClient } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as OldStdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as OldStreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { InMemoryTransport as OldInMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { ElicitRequestSchema, ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import type { Server } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";

/** `2.x` speaks the protocol of 2025, `2.x modern` that of 2026. */
export const CLIENTS = ["1.x", "2.x", "2.x modern"] as const;
export type ClientKind = (typeof CLIENTS)[number];

/** Location of the server: this process, a separate program, or a URL. */
export type Place =
  | { createServer: (connection?: object) => Server }
  | { command: string; args: string[]; env: Record<string, string>; cwd: string }
  | { url: string; token?: string };

export type CallOptions = {
  signal?: AbortSignal;
  timeout?: number;
  resetTimeoutOnProgress?: boolean;
  onprogress?: (progress: { progress: number; total?: number | undefined; message?: string | undefined }) => void;
};

export type ToolAnswer = {
  text: string;
  data: Record<string, unknown> | undefined;
  isError: boolean;
};

export type ToolShown = { name: string; description?: string; inputSchema: object; outputSchema?: object };

export type McpClient = {
  listTools(): Promise<ToolShown[]>;
  call(name: string, args: Record<string, unknown>, options?: CallOptions): Promise<ToolAnswer>;
  /** URIs. */
  resources(): Promise<string[]>;
  /** URI templates. */
  templates(): Promise<string[]>;
  read(uri: string): Promise<string>;
  /** Values for a variable of a template. */
  complete(template: string, name: string, value: string): Promise<string[]>;
  close(): Promise<void>;
};

/** The user's response to a form. Without one, the client does not support forms. */
export type Person = (message: string) => Promise<Filled> | Filled;
type Filled = { action: "accept" | "decline" | "cancel"; content?: Record<string, string> };

/** @param roots URLs of its folders. Without any, the client does not support roots. */
export async function connect(
  kind: ClientKind,
  place: Place,
  person?: Person,
  roots?: string[],
  name = "a test",
): Promise<McpClient> {
  const about = { name, version: "1" };
  const capabilities = { ...(person && { elicitation: {} }), ...(roots && { roots: {} }) };
  const listed = { roots: roots?.map((uri) => ({ uri })) ?? [] };
  if (kind === "1.x") {
    const client = new OldClient(about, { capabilities });
    if (person) client.setRequestHandler(ElicitRequestSchema, ({ params }) => person(params.message));
    if (roots) client.setRequestHandler(ListRootsRequestSchema, () => listed);
    return connectOld(client, place);
  }
  const mode = kind === "2.x modern" ? { pin: "2026-07-28" } : "legacy";
  const client = new Client(about, { versionNegotiation: { mode }, capabilities });
  if (person) client.setRequestHandler("elicitation/create", ({ params }) => person(params.message));
  if (roots) client.setRequestHandler("roots/list", () => listed);
  return connectNew(client, place);
}

async function connectOld(client: OldClient, place: Place): Promise<McpClient> {
  await client.connect(oldTransport(place));
  return {
    listTools: async () => (await client.listTools()).tools as ToolShown[],
    call: async (name, args, options) => answerOf(await client.callTool({ name, arguments: args }, undefined, options)),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    complete: async (uri, name, value) => {
      const asked = { ref: { type: "ref/resource", uri }, argument: { name, value } } as const;
      return (await client.complete(asked)).completion.values;
    },
    close: () => client.close(),
  };
}

function oldTransport(place: Place): Parameters<OldClient["connect"]>[0] {
  if ("command" in place) return new OldStdioClientTransport({ ...place, stderr: "pipe" });
  if ("url" in place) {
    // The 1.x package's own types do not fit each other under `exactOptionalPropertyTypes`.
    const transport: unknown = new OldStreamableHTTPClientTransport(new URL(place.url), requestInit(place));
    return transport as Parameters<OldClient["connect"]>[0];
  }
  const [ours, theirs] = OldInMemoryTransport.createLinkedPair();
  serveStdio(() => place.createServer(theirs), { transport: theirs as never });
  return ours;
}

async function connectNew(client: Client, place: Place): Promise<McpClient> {
  await client.connect(newTransport(place));
  return {
    listTools: async () => (await client.listTools()).tools as ToolShown[],
    call: async (name, args, options) => answerOf(await client.callTool({ name, arguments: args }, options)),
    resources: async () => (await client.listResources()).resources.map(({ uri }) => uri),
    templates: async () =>
      (await client.listResourceTemplates()).resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    read: async (uri) => textOf((await client.readResource({ uri })).contents),
    complete: async (uri, name, value) => {
      const asked = { ref: { type: "ref/resource", uri }, argument: { name, value } } as const;
      return (await client.complete(asked)).completion.values;
    },
    close: () => client.close(),
  };
}

function newTransport(place: Place): Parameters<Client["connect"]>[0] {
  if ("command" in place) return new StdioClientTransport({ ...place, stderr: "pipe" });
  if ("url" in place) return new StreamableHTTPClientTransport(new URL(place.url), requestInit(place));
  const [ours, theirs] = InMemoryTransport.createLinkedPair();
  serveStdio(() => place.createServer(theirs), { transport: theirs });
  return ours;
}

function requestInit({ token }: { token?: string }) {
  return token === undefined ? {} : { requestInit: { headers: { authorization: `Bearer ${token}` } } };
}

function textOf(contents: object[]): string {
  return contents.map((content) => ("text" in content ? String(content.text) : "")).join("");
}

function answerOf(result: object): ToolAnswer {
  const { content, structuredContent, isError } = result as {
    content: { type: string; text?: string }[];
    structuredContent?: Record<string, unknown>;
    isError?: boolean;
  };
  return {
    text: content.map(({ text = "" }) => text).join("\n"),
    data: structuredContent,
    isError: isError === true,
  };
}
