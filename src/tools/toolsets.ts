/**
 * The tools of a child, by toolset. Creating them is cheap: nothing is started, read or compiled before its first use.
 */

import type { TOOLSETS } from "../config-schema.ts";
import type { OwnFiles } from "../own-files.ts";
import type { BoundPaths } from "../plan.ts";
import type { Tool, ToolOutput } from "../tool.ts";
import { present } from "../values/present.ts";
import { createEditFile } from "./files/edits/edit-file.ts";
import { createApplyPatch } from "./files/edits/patch/apply-patch.ts";
import { createWriteFile } from "./files/edits/write-file.ts";
import { createListDir } from "./files/list-dir.ts";
import { realRoot, type Workspace } from "./files/paths/workspace.ts";
import { createReadFile } from "./files/read-file.ts";
import { createGlob, createGrep } from "./files/search.ts";
import { createTerminalOutput, createTerminalStop } from "./terminal/background.ts";
import { createTerminal, type TerminalOptions } from "./terminal/terminal.ts";
import { createTodo } from "./todo.ts";
import { toolErrorText } from "./tool-error.ts";
import { createWebFetch, type WebFetchOptions } from "./web/web-fetch.ts";
import { createWebSearch, type WebSearchOptions } from "./web/web-search.ts";

export type ToolsOptions = {
  /** The child's working directory, absolute. */
  workspace: string;
  /** Further directories that file and search tools can reach, absolute. */
  extraDirs: readonly string[];
  /** Deputy's own files, which file and search tools cannot reach. */
  own: OwnFiles;
  /** Real paths of workspace and extra directories: see `Workspace`. */
  realPaths: BoundPaths;
  /** Directories that contain the workspace, at which rules for paths start too. */
  enclosing?: readonly string[];
  /** The extra directories can only be read. */
  isConfined?: boolean;
  toolsets: readonly string[];
  /** The environment of commands, without secrets: read for each command, because more keys may be known by then. */
  environment(): Record<string, string>;
  terminal: Pick<TerminalOptions, "timeoutMs" | "sandbox">;
  /** `search`: absent without a configured engine. */
  web: Omit<WebFetchOptions, "redact"> & { search?: WebSearchOptions | undefined };
  /** Removes known keys from a text. */
  redact(text: string): string;
};

type Toolset = (typeof TOOLSETS)[number];

const CREATE: Record<Toolset, (workspace: Workspace, options: ToolsOptions) => Tool[]> = {
  file: (workspace) => [
    createReadFile(workspace),
    createWriteFile(workspace),
    createEditFile(workspace),
    createApplyPatch(workspace),
    createListDir(workspace),
  ],
  search: (workspace) => [createGlob(workspace), createGrep(workspace)],
  todo: () => [createTodo()],
  terminal: (workspace, { environment, terminal }) => [
    createTerminal({ directory: () => realRoot(workspace), environment, ...terminal }),
    createTerminalOutput(),
    createTerminalStop(),
  ],
  web: (_, { web: { search, ...fetch }, redact }) => [
    createWebFetch({ ...fetch, redact }),
    ...(search === undefined ? [] : [createWebSearch(search)]),
  ],
};

/** The tools of these toolsets, in the toolsets' order. Planning has rejected unknown ones. */
export function createTools(options: ToolsOptions): Tool[] {
  const { workspace: root, extraDirs, own, realPaths, enclosing = [], isConfined = false } = options;
  const workspace = { root, extraDirs, own, realPaths, enclosing, isConfined };
  return options.toolsets
    .filter(isToolset)
    .flatMap((toolset) => CREATE[toolset](workspace, options))
    .map((tool) => presentable(tool, options.redact));
}

function isToolset(name: string): name is Toolset {
  return Object.hasOwn(CREATE, name);
}

/** Wraps a tool for a child: expected errors become text, and no output contains a key. */
export function presentable(tool: Tool, redact: (text: string) => string): Tool {
  return {
    ...tool,
    run: async (input, context) => {
      const output = context.signal.aborted
        ? STOPPED
        : await tool.run(input, context).catch((error: unknown) => failureOf(error, context.signal));
      return withoutKeys(output, redact);
    },
  };
}

/** If a key was removed, the model has not seen the whole file: written back, the file would lose the key. */
function withoutKeys({ seen, ...output }: ToolOutput, redact: (text: string) => string): ToolOutput {
  const text = redact(output.text);
  return { ...output, text, ...(text === output.text && present({ seen })) };
}

const STOPPED: ToolOutput = { ok: false, text: "Stopped before it was done." };

/** @throws the error itself if it is a bug */
function failureOf(error: unknown, signal: AbortSignal): ToolOutput {
  if (signal.aborted) return STOPPED;
  const text = toolErrorText(error);
  if (text === undefined) throw error;
  return { ok: false, text };
}
