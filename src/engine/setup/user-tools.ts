/**
 * A child's tools for the user of a surface: with the same workspace boundary, the same rules for files, and the same
 * environment of commands, without keys. The user's own command needs no approval.
 */
import { createFileJudge } from "../../child/file-rules.ts";
import type { Tool, ToolOutput } from "../../tool.ts";
import { ToolError } from "../../tools/tool-error.ts";
import type { Setup, WorkPlace } from "./setup.ts";

export type UserTools = {
  /** Reads a file as `read_file` shows it, unless a rule or its name protects it. */
  readFile(path: string, signal: AbortSignal): Promise<ToolOutput>;
  /** Runs a command line as `terminal` does. */
  runCommand(command: string, signal: AbortSignal): Promise<ToolOutput>;
};

/** The caller's name in the tools' context. */
const USER = "the user";

export function createUserTools(setup: Pick<Setup, "config" | "tools">, place: WorkPlace): UserTools {
  const { permissions: rules, delegation } = setup.config;
  const tools = setup.tools(["file", "terminal"], place);

  async function readFile(path: string, signal: AbortSignal): Promise<ToolOutput> {
    const tool = toolNamed(tools, "read_file");
    const call = tool.input.parse({ path });
    const { file } = tool.subject(call);
    const judge = createFileJudge({ rules, otherwise: delegation.approvals }, tool.name, file?.roots);
    const judged = file && judge(file);
    if (judged !== undefined && judged.decision !== "allow") return { ok: false, text: judged.because };
    return tool.run(call, { childId: USER, signal });
  }

  async function runCommand(command: string, signal: AbortSignal): Promise<ToolOutput> {
    const tool = toolNamed(tools, "terminal");
    return tool.run(tool.input.parse({ command }), { childId: USER, signal });
  }

  return {
    readFile: (path, signal) => readFile(path, signal).catch(failure),
    runCommand: (command, signal) => runCommand(command, signal).catch(failure),
  };
}

function failure(error: unknown): ToolOutput {
  if (error instanceof ToolError) return { ok: false, text: error.message };
  throw error;
}

function toolNamed(tools: readonly Tool[], name: string): Tool {
  const tool = tools.find((each) => each.name === name);
  if (tool === undefined) throw new Error(`there is no tool ${name}`);
  return tool;
}
