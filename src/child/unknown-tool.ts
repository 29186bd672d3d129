/** The answer to a call of a tool that a child does not have: the nearest names, and all of them. */
import { suggest } from "../text/did-you-mean.ts";

/** Names that other agents give to the same tools; models know them from training. */
const OTHER_NAMES: Record<string, readonly string[]> = {
  terminal: [
    "bash",
    "shell",
    "sh",
    "exec",
    "exec_command",
    "local_shell",
    "execute_command",
    "run_command",
    "run_terminal_cmd",
  ],
  read_file: ["read", "view", "cat", "open", "open_file", "view_file", "read_many_files"],
  write_file: ["write", "create", "create_file", "save_file", "write_to_file"],
  edit_file: ["edit", "str_replace", "str_replace_editor", "replace", "replace_in_file", "multi_edit", "apply_patch"],
  apply_patch: ["patch", "edit", "applypatch", "str_replace", "str_replace_editor", "replace"],
  terminal_output: ["bash_output", "read_output", "task_output"],
  terminal_stop: ["kill_shell", "kill_bash", "task_stop"],
  list_dir: ["ls", "list", "list_files", "list_directory"],
  grep: ["search", "rg", "ripgrep", "search_files", "grep_search", "codebase_search", "search_file_content"],
  glob: ["find", "find_files", "file_search", "glob_file_search"],
  web_fetch: ["fetch", "webfetch", "browse", "open_url", "read_url"],
  web_search: ["websearch", "search_web", "google_web_search"],
  delegate_task: ["task", "agent", "spawn_agent", "delegate", "subagent"],
};

export function unknownTool(called: string, offered: readonly string[]): string {
  const wanted = called.toLowerCase();
  const same = offered.filter((name) => Object.hasOwn(OTHER_NAMES, name) && OTHER_NAMES[name]?.includes(wanted));
  const near = [...new Set([...same, ...suggest(called, offered)])];
  const hint = near.length === 0 ? "" : ` Did you mean ${near.join(" or ")}?`;
  return `There is no tool ${called}.${hint} Your tools: ${offered.join(", ") || "none"}.`;
}
