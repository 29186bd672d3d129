/** A workspace on disk with a child's tools, and files that those tools must not reach. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { createFoundJudge, type Permissions } from "../../src/child/file-rules.ts";
import { decidePermission } from "../../src/child/permissions.ts";
import type { CommandExecutor } from "../../src/command-executor.ts";
import { addSeen } from "../../src/seen-file.ts";
import type { SeenFile, ToolOutput } from "../../src/tool.ts";
import { createCommandExecutor } from "../../src/tools/terminal/command-executor.ts";
import { createTools, type ToolsOptions } from "../../src/tools/toolsets.ts";
import { createPageConverter } from "../../src/tools/web/page-converter.ts";

export type Workshop = {
  /** Contains the workspace and what is outside of it. */
  base: string;
  workspace: string;
  outside: string;
  write(path: string, content: string | Uint8Array): void;
  /**
   * Calls a tool as the loop does: input through its schema first, and with what earlier calls showed. Throws if the
   * schema rejects it.
   */
  call(name: string, input: unknown, signal?: AbortSignal): Promise<ToolOutput>;
  target(name: string, input: unknown): string;
  /** Runs the child's commands. */
  commands: CommandExecutor;
};

/** @param permissions rules of the operator; a call that they do not allow is answered `Not allowed` */
export function openWorkshop(
  context: TestContext,
  options: Partial<ToolsOptions> = {},
  permissions: Permissions = { rules: [], otherwise: "allow" },
  commands = createCommandExecutor(),
): Workshop {
  const base = realpathSync(mkdtempSync(join(tmpdir(), "deputy-tools-")));
  context.after(() => rmSync(base, { recursive: true, force: true }));
  const workspace = join(base, "workspace");
  const outside = join(base, "outside");
  mkdirSync(workspace);
  mkdirSync(outside);
  const tools = createTools({
    workspace,
    extraDirs: [],
    own: { directories: [], files: [] },
    realPaths: {},
    toolsets: ["file", "search", "terminal"],
    environment: () => ({ PATH: process.env.PATH ?? "" }),
    terminal: { timeoutMs: 20_000 },
    web: { hosts: [], privateHosts: [], proxyFor: () => undefined, convert: createPageConverter() },
    redact: (text) => text,
    ...options,
  });
  const seen = new Map<string, SeenFile>();
  context.after(() => commands.close());
  function prepare(name: string, input: unknown) {
    const tool = tools.find((each) => each.name === name);
    if (tool === undefined) throw new Error(`There is no tool ${name}.`);
    return { tool, input: tool.input.parse(input) };
  }
  return {
    base,
    workspace,
    outside,
    commands,
    write: (path, content) => {
      mkdirSync(dirname(join(workspace, path)), { recursive: true });
      writeFileSync(join(workspace, path), content);
    },
    call: async (name, given, signal = new AbortController().signal) => {
      const { tool, input } = prepare(name, given);
      const subject = tool.subject(input);
      const { decision, because } = decidePermission(permissions.rules, permissions.otherwise, name, subject);
      if (decision !== "allow") return { ok: false, text: `Not allowed (${decision}): ${because}` };
      const judge = subject.file && createFoundJudge(permissions, name, subject.file);
      const context = { childId: "delegation.0", seen, commands, signal, ...(judge && { judge }) };
      const { seen: shown = [], ...output } = await tool.run(input, context);
      for (const file of shown) addSeen(seen, file);
      return output;
    },
    target: (name, given) => {
      const { tool, input } = prepare(name, given);
      return tool.subject(input).target;
    },
  };
}
