/**
 * The tool interface. Tools are created in `tools/` and run by the one loop in `child/loop.ts`; neither imports the
 * other. Input is written by a model: it is untrusted until the tool's own schema has parsed it.
 */
import type { z } from "zod";

/**
 * The effect of a call decides what runs concurrently with it and what happens after a crash. `read` runs with other
 * reads and can be repeated. `write` runs alone and is never repeated: its outcome is unknown. `delegate` runs with
 * other delegations and, after a crash, continues the run it had started.
 */
export type ToolEffect = "read" | "write" | "delegate";

export type ToolOutput = {
  /** The text that the model reads. The tool has already capped its size, and a cut is marked in the text. */
  text: string;
  ok: boolean;
  /** Workspace-relative paths of files that this call created or changed. */
  filesChanged?: string[];
  /** The same output as data, for programs, in the form of the tool's `output` schema. */
  data?: Record<string, unknown>;
};

/** The effect of a call, for rules, approval requests, live lines and the tool trace. */
export type ToolSubject = {
  /** The exact command or path: permission rules match it, and the user sees it. */
  target: string;
  /** Decision if no rule matches: `allow` inside the workspace, `ask` for what the operator should see. */
  otherwise: "allow" | "ask";
  /** `target` is a shell command line: rules judge each command in it. */
  isCommandLine?: boolean;
};

export type ToolContext = {
  childId: string;
  /** The id of the call, as the model named it, and its step; a surface without steps omits both. */
  callId?: string;
  step?: number;
  signal: AbortSignal;
};

export type Tool<Input = unknown> = {
  name: string;
  /** Read by models. */
  description: string;
  effect: ToolEffect;
  input: z.ZodType<Input>;
  /** Schema of the output's `data`. */
  output?: z.ZodType;
  subject(input: Input): ToolSubject;
  /**
   * Returns an expected failure as `ok: false` with a text for the model; throws only for a bug. Stops within a second
   * of `signal`.
   */
  run(input: Input, context: ToolContext): Promise<ToolOutput>;
};

/**
 * One rule of the operator's `permissions:`. `tool` and `match` are patterns (`*` = anything); the first match wins.
 */
export type PermissionRule = { tool: string; match?: string | undefined; then: "allow" | "ask" | "deny" };
