/// <reference types="node" preserve="true" />
/** `deputize/testing`: a scripted model provider over real HTTP, an in-memory journal, a clock controlled by tests. */
export { createMemory, createMemoryJournal, type Memory, type MemoryJournalOptions } from "../journal/memory.ts";
export type { DialectOf } from "./dialects/dialects.ts";
export type { DialectName } from "./dialects/vendor-api.ts";
export { createFakeClock, type FakeClock } from "./fake-clock.ts";
export type { AnswerFault, ErrorFault, Fault } from "./faults.ts";
export type {
  ModelRequest,
  RequestMessage,
  RequestTool,
  RequestToolCall,
  RequestToolResult,
} from "./model-request.ts";

export {
  createModelServer,
  type ModelServer,
  type ModelServerOptions,
  type Script,
} from "./model-server.ts";
export type { RequestImage } from "./request-images.ts";
export type { Turn, TurnToolCall } from "./turn.ts";
