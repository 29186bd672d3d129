/**
 * The tool interface. Tools are created in `tools/` and run by the one loop in `child/loop.ts`; neither imports the
 * other. Input is written by a model: it is untrusted until the tool's own schema has parsed it.
 */
import type { z } from "zod";
import type { CommandExecutor } from "./command-executor.ts";
import type { Warning } from "./errors.ts";
import type { StoredImage } from "./image.ts";
import type { TodoItem } from "./todo.ts";

/**
 * The effect of a call decides what runs concurrently with it and what happens after a crash. `read` runs with other
 * reads and can be repeated. `write` runs alone and is never repeated: its outcome is unknown. `delegate` runs with
 * other delegations and, after a crash, continues the run it had started.
 */
export type ToolEffect = "read" | "write" | "delegate";

/**
 * What a call showed of a file, or wrote: its lines `from` (absent: the first) `to` (absent: the last), while the whole
 * file had this hash.
 */
export type SeenFile = { path: string; sha256: string; from?: number; to?: number };

/** By workspace-relative path. */
export type LinesChanged = Record<string, { added: number; removed: number }>;

/** An image that a call shows. */
export type ToolImage = StoredImage & { base64: string };

export type ToolOutput = {
  /** The text that the model reads. The tool has already capped its size, and a cut is marked in the text. */
  text: string;
  ok: boolean;
  /** Workspace-relative paths of files that this call created or changed. */
  filesChanged?: string[];
  /** Files that the model knows from now on, as they are after this call. */
  seen?: SeenFile[];
  /** Lines added to and removed from those files; a file whose lines were not compared is absent. */
  linesChanged?: LinesChanged;
  /** Images for the model, if it can be shown any; the text says what they are. */
  images?: ToolImage[];
  /** The list that the child keeps of its work, after this call. */
  todo?: TodoItem[];
  /** The same output as data, for programs, in the form of the tool's `output` schema. */
  data?: Record<string, unknown>;
};

/** The effect of a call, for rules, approval requests, live lines and the tool trace. */
export type ToolSubject = {
  /** The exact command or path: permission rules match it, and the user sees it. */
  target: string;
  /** What a search looks for in the target, for display: no rule matches it. */
  searched?: string;
  /** Decision if no rule matches: `allow` inside the workspace, `ask` for what the operator should see. */
  otherwise: "allow" | "ask";
  /** `target` is a shell command line: rules judge each command in it. */
  isCommandLine?: boolean;
  /** `target` is the URL of a page: rules judge its host and its path apart, and the user's words may name its host. */
  isPage?: boolean;
  /** `target` is this file or directory: rules judge each of its names. */
  file?: FileSubject;
  /** Further files that the call touches: the strictest decision on any of them counts. */
  otherFiles?: readonly FileSubject[];
  /** The text of an approval request, if it shows more than `target`. */
  asked?: string;
  /** A command runs in the child's sandbox, or outside of one. */
  sandboxed?: boolean;
  /** Files and directories that a command in a sandbox may read besides: each needs approval. */
  reads?: readonly FileSubject[];
  /** Only a user can approve the call, no model. */
  onlyUser?: true;
  /** Recorded once in a run, before the call. */
  warning?: Warning;
  /** Why the call needs approval even if a rule allows it, as a clause: the tool is not the one that was offered. */
  changed?: string;
};

/** How a tool touches a file: it shows the name, shows or compares the content, creates the file, or replaces it. */
export type FileAccess = "list" | "read" | "create" | "replace";

export type FileSubject = {
  /**
   * Paths of the same file. The first is where it really is; the others are what leads there, as written and link by
   * link. All are relative to the workspace, or absolute outside of it.
   */
  names: readonly [string, ...string[]];
  access: FileAccess;
  /** Other tools that do the same with a file: their rules decide too, and the strictest counts. */
  rulesOf?: readonly string[];
  /** Absolute paths that a rule may start with: of the workspace first, and of the directories around it. */
  roots?: readonly string[];
};

/**
 * `because` is a clause for users and models: the rule that decided, or that none did. `holdsSecrets`: no rule decided,
 * and a file with this name usually holds secrets.
 */
export type PermissionDecision = {
  decision: PermissionRule["then"];
  because: string;
  holdsSecrets?: true;
  /** The call is asked for although it is allowed, because its tool has changed. */
  isChanged?: true;
};

/** A tool of an MCP server as a child was offered it: `sha256` is of its description and schema. */
export type PinnedTool = { name: string; sha256: string };

export type ToolContext = {
  childId: string;
  /** The id of the call, as the model named it, and its step; a surface without steps omits both. */
  callId?: string;
  step?: number;
  /** What the child knows of files, by path: the sum of its calls' `seen`. Absent: nothing. */
  seen?: ReadonlyMap<string, SeenFile>;
  signal: AbortSignal;
  /** Runs the child's commands; a surface without a child omits it. */
  commands?: CommandExecutor;
  /**
   * Decides whether a tool may return a file that it has found. What the call itself was approved for is allowed. A
   * surface without permission rules omits it.
   */
  judge?(file: FileSubject): PermissionDecision;
  /** Decides whether a tool may follow a redirect to a page. A surface without permission rules omits it. */
  judgePage?(page: ToolSubject): PermissionDecision;
  /** Hosts that the user's own words name. Absent: none. */
  hosts?: readonly string[];
};

export type Tool<Input = unknown> = {
  name: string;
  /** Read by models. */
  description: string;
  effect: ToolEffect;
  input: z.ZodType<Input>;
  /** A child that is limited to certain tools has this one too if it has all of these. */
  comesWith?: readonly string[];
  /** Other names that models use for a field, each with the field's own. */
  otherNames?: Readonly<Record<string, string>>;
  /** JSON Schema of the input for models, where `input` does not say it. */
  parameters?: Record<string, unknown>;
  /** Schema of the output's `data`. */
  output?: z.ZodType;
  /** Brings what `subject` says up to date, if that may take time. Never rejects. */
  refresh?(signal: AbortSignal): Promise<void>;
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

/** Tools that change a part of a file. A child has both; a request offers the one that its model is trained on. */
export const EDIT_TOOLS = ["edit_file", "apply_patch"] as const;
export type EditTool = (typeof EDIT_TOOLS)[number];
