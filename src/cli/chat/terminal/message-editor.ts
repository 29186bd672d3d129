/** Opens the message in the user's editor, and takes it back when the editor ends. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { divideEnvironment } from "../../../config/environment.ts";
import { errorMessage } from "../../../errors.ts";
import { writePrivateFile } from "../../../system/private-file.ts";
import { startProcess } from "../../../system/start-process.ts";
import { folded, unfolded } from "../keyboard/paste.ts";
import { printProblem, showPrompt, type TerminalChat, warningText } from "./terminal-chat.ts";

/** While a turn runs, the terminal is the chat's. */
export async function editMessage(terminal: TerminalChat): Promise<void> {
  const { keyboard, deps, state } = terminal;
  if ((state !== "idle" && state !== "confirming") || terminal.isEditing) return;
  const { env } = deps.io;
  const editor = [env.VISUAL, env.EDITOR].find((each) => (each ?? "").trim() !== "") ?? "vi";
  const folder = mkdtempSync(join(tmpdir(), "deputy-message-"));
  const path = join(folder, "message.md");
  terminal.isEditing = true;
  keyboard.hide();
  try {
    writePrivateFile(path, unfolded(terminal.draft + keyboard.typed));
    await keyboard.lend(() => openEditor(terminal, editor, path));
    keyboard.clear();
    terminal.draft = "";
    keyboard.put(folded(readFileSync(path, "utf8").replace(/\r\n?/g, "\n").trimEnd()));
  } catch (error) {
    printProblem(terminal, error);
  } finally {
    terminal.isEditing = false;
    rmSync(folder, { recursive: true, force: true });
    showPrompt(terminal);
  }
}

/** The editor gets no keys: what it starts could read them from its environment. */
async function openEditor(terminal: TerminalChat, editor: string, path: string): Promise<void> {
  const { deps, view } = terminal;
  const { plain } = divideEnvironment(deps.io.env, deps.deputy.routing().credentials.holdsKey);
  try {
    const options = { cwd: deps.io.cwd, env: plain, stdio: "inherit" } as const;
    const child = await startProcess("/bin/sh", ["-c", `${editor} "$@"`, "sh", path], options);
    const [code] = await once(child, "close");
    if (code !== 0) view.print(warningText(terminal, `The editor (${editor}) ended with exit code ${code}.`));
  } catch (error) {
    view.print(warningText(terminal, `The editor (${editor}) did not start: ${errorMessage(error)}`));
  }
}
