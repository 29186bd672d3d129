/**
 * Variables that keep programs from waiting for a person: nobody can type into an editor, turn a page or give a
 * password. A command can set them itself (`GIT_EDITOR=true git rebase --continue`).
 *
 * Sources: git(1), git-var(1) and gitcredentials(7); ssh(1); man(1); systemctl(1); the manuals of gh, aws, pip, debconf
 * and Git Credential Manager. Codex and Gemini CLI set PAGER and GIT_PAGER to cat, too; Claude Code sets GIT_EDITOR.
 */

/** Git adds the file as an argument, and quotes this text when it reports the failure. */
const NO_GIT_EDITOR =
  "echo 'No editor is available. Give the text with -m, or accept the prepared text with GIT_EDITOR=true.' >&2; false";

const FAIL = "false";
const PRINT = "cat";

export const UNATTENDED: Readonly<Record<string, string>> = {
  GIT_EDITOR: NO_GIT_EDITOR,
  GIT_SEQUENCE_EDITOR: NO_GIT_EDITOR,
  ...named(["EDITOR", "VISUAL", "SUDO_EDITOR", "SYSTEMD_EDITOR", "HGEDITOR", "SVN_EDITOR", "KUBE_EDITOR"], FAIL),
  ...named(["GH_EDITOR", "JJ_EDITOR", "FCEDIT"], FAIL),
  ...named(["PAGER", "GIT_PAGER", "MANPAGER", "SYSTEMD_PAGER", "GH_PAGER", "AWS_PAGER", "BAT_PAGER"], PRINT),
  GIT_TERMINAL_PROMPT: "0",
  GCM_INTERACTIVE: "never",
  GH_PROMPT_DISABLED: "1",
  SSH_ASKPASS_REQUIRE: "never",
  PIP_NO_INPUT: "1",
  DEBIAN_FRONTEND: "noninteractive",
};

function named(names: readonly string[], value: string): Record<string, string> {
  return Object.fromEntries(names.map((name) => [name, value]));
}
