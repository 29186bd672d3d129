/** `deputy config edit`: opens a copy of the config in the user's editor, and replaces the file once the copy is valid. */
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { divideEnvironment } from "../../config/environment.ts";
import type { ConfigPlace } from "../../config/load.ts";
import { DeputyError, errorMessage } from "../../errors.ts";
import { writePrivateFile } from "../../system/private-file.ts";
import { startProcess } from "../../system/start-process.ts";
import { harmless } from "../../text/spelled-text.ts";
import { agreed } from "../approvals/question.ts";
import type { Io } from "../io.ts";
import { checkConfig, type EditedConfig, editedConfig, saveConfig, type WhichFile } from "./edited-config.ts";

const NEW_CONFIG = `# Deputy's configuration. deputy config init writes one with suggestions; deputy schema config describes every key.
`;

/** @throws DeputyError `usage` without an editor; `config-invalid` if the user leaves errors in, whose copy stays */
export async function editConfig(io: Io, place: ConfigPlace, which: WhichFile): Promise<void> {
  const editor = [io.env.VISUAL, io.env.EDITOR].find((each) => (each ?? "").trim() !== "");
  if (editor === undefined)
    throw new DeputyError("usage", "Expected an editor in VISUAL or EDITOR, such as EDITOR=vi; found neither.");
  const edited = editedConfig(place, which);
  const copy = join(mkdtempSync(join(tmpdir(), "deputy-config-")), "config.yaml");
  const opened = edited.text === "" ? NEW_CONFIG : edited.text;
  writePrivateFile(copy, opened);
  const text = await editedUntilValid(io, editor, copy, edited);
  if (text === opened) io.stdout.write("Nothing was changed.\n");
  else {
    keepingCopy(copy, () => saveConfig(io, place, edited, text));
    io.stdout.write(`Written to ${edited.path}.\n`);
  }
  rmSync(dirname(copy), { recursive: true, force: true });
}

async function editedUntilValid(io: Io, editor: string, copy: string, { path }: EditedConfig): Promise<string> {
  for (;;) {
    await openEditor(io, editor, copy);
    const text = readFileSync(copy, "utf8");
    try {
      checkConfig(path, text);
      return text;
    } catch (error) {
      if (!(error instanceof DeputyError)) throw error;
      io.stderr.write(`${harmless(error.message)}\n`);
    }
    if (io.stdin.isTTY !== true || !(await agreed(io, io.stderr, "Edit again?")))
      throw new DeputyError("config-invalid", `${path} was left as it is, because of these errors. ${keptAt(copy)}`);
  }
}

/** The editor gets the terminal, and no secrets: programs that it starts could read them from its environment. */
async function openEditor(io: Io, editor: string, copy: string): Promise<void> {
  const { plain } = divideEnvironment(io.env);
  const options = { cwd: io.cwd, env: plain, stdio: "inherit" } as const;
  const unsubscribe = io.onInterrupt(() => {}); // Ctrl-C is the editor's.
  try {
    const child = await startProcess("/bin/sh", ["-c", `${editor} "$@"`, editor, copy], options);
    const [code, signal] = await once(child, "close");
    if (code !== 0) throw new Error(`it ended with ${signal ?? `exit code ${code}`}`);
  } catch (error) {
    const message = `The editor (${editor}) did not succeed: ${errorMessage(error)}. Nothing was written. ${keptAt(copy)}`;
    throw new DeputyError("usage", message, { cause: error });
  } finally {
    unsubscribe();
  }
}

function keepingCopy(copy: string, save: () => void): void {
  try {
    save();
  } catch (error) {
    if (error instanceof DeputyError) throw new DeputyError(error.code, `${error.message} ${keptAt(copy)}`);
    throw error;
  }
}

function keptAt(copy: string): string {
  return `Your text is in ${copy}`;
}
