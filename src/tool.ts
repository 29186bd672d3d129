/**
 * What a tool is. Tools are made in `tools/`, run by the one loop in `child/loop.ts`; neither knows the other.
 * Input is written by a model: untrusted until the tool's own schema has read it.
 */
import type { z } from "zod";

/**
 * What a call does decides what runs beside it and what becomes of it after a crash. `read`: beside other reads, and again.
 * `write`: alone, and never repeated: its outcome is unknown. `delegate`: beside other delegations, and found again: it goes
 * on with what it had begun.
 */
export type ToolEffect = "read" | "write" | "delegate";

export type ToolOutput = {
  /** What the model reads. Already capped in size by the tool, a cut is marked in the text. */
  text: string;
  ok: boolean;
  /** Workspace-relative paths that this call created or changed. */
  filesChanged?: string[];
  /** The same for programs, where a surface hands it to one: what the tool's `output` describes. */
  data?: Record<string, unknown>;
};

/** What a call would do, for rules, questions, live lines and the tool trace. */
export type ToolSubject = {
  /** What permission rules match against and a person is shown: the exact command, the path. */
  target: string;
  /** Decision where no rule matches: `allow` inside the workspace, `ask` for what the operator should see. */
  otherwise: "allow" | "ask";
  /** `target` is a shell command line: rules judge each command in it. */
  isCommandLine?: boolean;
};

export type ToolContext = {
  childId: string;
  /** The call as the model named it, and the step that made it; a surface that has no steps leaves both out. */
  callId?: string;
  step?: number;
  signal: AbortSignal;
};

export type Tool<Input = unknown> = {
  name: string;
  /** Models read this. */
  description: string;
  effect: ToolEffect;
  input: z.ZodType<Input>;
  /** What `data` of its output holds. */
  output?: z.ZodType;
  subject(input: Input): ToolSubject;
  /** Expected failure is `ok: false` with words for the model; throwing means a bug. Stops within a second of `signal`. */
  run(input: Input, context: ToolContext): Promise<ToolOutput>;
};

/** One line of the operator's `permissions:`. `tool` and `match` are patterns (`*` = anything); first match wins. */
export type PermissionRule = { tool: string; match?: string | undefined; then: "allow" | "ask" | "deny" };
