/** `deputy mcp` over its pipe, frame by frame, for a client that breaks the rules. */
import type { Round } from "./round.ts";
import type { Watched } from "./watched.ts";

export type Era = "2025" | "2026";
export type Frame = { id?: number; result?: Record<string, unknown>; error?: object };

export type RawClient = {
  readonly process: Watched;
  /** @param beside fields of the call next to its name and arguments */
  call(name: string, args: object, beside?: object): Promise<Frame>;
  ask(method: string, params: object): Promise<Frame>;
  close(): Promise<void>;
};

export type ClientAbout = { name?: string; capabilities?: object };

/** Longest wait for a frame. */
const FRAME_MS = 20_000;

export async function openRawClient(round: Round, era: Era, about: ClientAbout = {}): Promise<RawClient> {
  const { name = "a client", capabilities = {} } = about;
  const clientInfo = { name, version: "1" };
  const process = round.launch(["mcp"], { keepsStdin: true, limits: ":" });
  let next = 0;
  const meta = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": clientInfo,
    "io.modelcontextprotocol/clientCapabilities": capabilities,
  };
  const send = (frame: object) => void process.child.stdin?.write(`${JSON.stringify({ jsonrpc: "2.0", ...frame })}\n`);
  async function ask(method: string, params: object): Promise<Frame> {
    const id = next++;
    send({ id, method, params: era === "2026" ? { ...params, _meta: meta } : params });
    const deadline = performance.now() + FRAME_MS;
    const answer = () =>
      framesIn(process.stdout()).find((frame) => frame.id === id && ("result" in frame || "error" in frame));
    await round.until(() => answer() !== undefined || performance.now() > deadline, process);
    return answer() ?? {};
  }
  if (era === "2025") {
    await ask("initialize", { protocolVersion: "2025-06-18", capabilities, clientInfo });
    send({ method: "notifications/initialized" });
  }
  return {
    process,
    ask,
    call: (tool, args, beside = {}) => ask("tools/call", { name: tool, arguments: args, ...beside }),
    async close() {
      process.child.stdin?.end();
      process.askedToEnd();
      await process.ended;
    },
  };
}

function framesIn(text: string): Frame[] {
  const lines = text.split("\n").slice(0, -1);
  return lines.filter((line) => line.trim() !== "").map((line) => JSON.parse(line) as Frame);
}
