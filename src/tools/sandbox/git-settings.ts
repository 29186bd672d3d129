/** The user's own git settings that a sandbox has: a name for commits, and how files are written. No program, no secret. */
import { once } from "node:events";
import { startProcess } from "../../system/start-process.ts";

const KEPT =
  "^(user\\.(name|email)|init\\.defaultbranch|core\\.(autocrlf|eol|safecrlf|quotepath)|pull\\.rebase|merge\\.conflictstyle)$";

/** As a file; empty without git or settings. Only the user's own files are read, none of a workspace. */
export async function gitSettings(environment: Record<string, string>): Promise<string> {
  try {
    const git = await startProcess("git", ["config", "--global", "--null", "--get-regexp", KEPT], {
      cwd: "/",
      env: environment,
      stdio: ["ignore", "pipe", "ignore"],
    });
    let text = "";
    git.stdout?.setEncoding("utf8").on("data", (more: string) => {
      text += more;
    });
    await once(git, "close");
    return text.split("\0").filter(Boolean).map(settingLine).join("");
  } catch {
    return "";
  }
}

function settingLine(entry: string): string {
  const [name = "", ...value] = entry.split("\n");
  const dot = name.indexOf(".");
  return `[${name.slice(0, dot)}]\n\t${name.slice(dot + 1)} = ${JSON.stringify(value.join("\n"))}\n`;
}
