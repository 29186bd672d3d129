/** The states of a chat at a terminal, and the transitions between them, as data. */

export type ChatState =
  /** Waits for a message. */
  | "idle"
  /** Ctrl-C was pressed while idle: the next one leaves. */
  | "confirming"
  /** A turn is in progress. */
  | "running"
  /** The user is asked to approve a tool call of the turn. */
  | "approving"
  /** The turn was asked to stop. */
  | "stopping"
  /** The chat has ended; what is typed is ignored. */
  | "leaving";

export type ChatSignal = "line" | "interrupt" | "begin" | "ask" | "answer" | "stop" | "end" | "leave";

/** A signal that is not listed has no effect. */
const TRANSITIONS: Record<ChatState, { [signal in ChatSignal]?: ChatState }> = {
  idle: { interrupt: "confirming", begin: "running", leave: "leaving" },
  confirming: { line: "idle", begin: "running", leave: "leaving" },
  running: { ask: "approving", stop: "stopping", end: "idle", leave: "leaving" },
  approving: { answer: "running", stop: "stopping", end: "idle", leave: "leaving" },
  stopping: { end: "idle", leave: "leaving" },
  leaving: {},
};

export function nextState(state: ChatState, signal: ChatSignal): ChatState {
  return TRANSITIONS[state][signal] ?? state;
}
