/**
 * Finds the skills of a workspace: in the folders of agent programs, from the workspace up to the root of its
 * repository, then in the user's home. The first of each name wins, but those of an untrusted project come last. Only a
 * skill's name, description and text have an effect: it grants no tools, no permissions and no model.
 */
import { opendir } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode, errorMessage } from "../../errors.ts";
import { isSecretFile } from "../../secret-files.ts";
import { SKILL_FILE, type Skill, type Skills, type SkillText } from "../../skill.ts";
import { type ForeignText, type ReadBounds, readForeignTextLater } from "../../system/foreign-file.ts";
import { directoriesAbove } from "../../system/repository.ts";
import type { Environment } from "../../template.ts";
import { shortLine } from "../../text/short-line.ts";
import { harmless } from "../../text/spelled-text.ts";
import { isWithin } from "../../values/path-within.ts";
import { present } from "../../values/present.ts";
import { readFrontMatter } from "../agents/front-matter.ts";
import { consumeText } from "../consume.ts";
import { userConfigPath } from "../load.ts";

/** Folders of each program, under a directory of the project or the user's home. */
const FOLDERS = [
  join(".claude", "skills"),
  join(".agents", "skills"),
  join(".opencode", "skill"),
  join(".opencode", "skills"),
];
/** Limits of one folder, higher than anybody needs. */
const MAX_ENTRIES = 300;
const MAX_BYTES = 256 * 1024;
/** Longest time to parse a project's skills, in milliseconds: nobody has reviewed them yet. */
const MAX_PARSE_MS = 1_000;
/** Longer descriptions are cut, in characters. */
const MAX_DESCRIPTION = 300;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._:-]{0,63}$/u;
/** Fields that such a file may have; only the first two have an effect. */
const KEYS = new Set([
  ...["name", "description", "license", "compatibility", "metadata", "allowed-tools", "model", "version", "author"],
  ...["disable-model-invocation", "user-invocable", "argument-hint", "context", "agent", "hooks", "tags", "category"],
]);

/** Limits on which files are read, and the redaction of their text. */
export type SkillBounds = Required<Pick<ReadBounds, "isOwn" | "protectionOf">> & {
  env: Environment;
  /** The project's directories whose links are resolved; without the workspace if it was replaced. */
  within: readonly string[];
  /** Directory of a project whose config is trusted: the skills of the same repository in it are, too. */
  trusted: string | undefined;
  redact(text: string): string;
};

/** A folder of skills, and the project directory that contains it. */
type SkillFolder = { path: string; project?: string };
/** `problem`: what was expected and found, with the path. */
type ReadSkill = { skill: Skill } | { problem: string };

export async function findSkills(workspace: string, bounds: SkillBounds): Promise<Skills> {
  const above = bounds.within.includes(workspace) ? await directoriesAbove(workspace) : undefined;
  const home = homeIn(bounds.env);
  const upward = above === undefined ? [] : [workspace, ...above.toReversed()].filter((each) => each !== home);
  const trusted = upward.find((directory) => directory === bounds.trusted);
  const ofProject = upward.flatMap((project) => FOLDERS.map((folder) => ({ path: join(project, folder), project })));
  const isTrusted = ({ project }: SkillFolder) =>
    trusted !== undefined && project !== undefined && isWithin(trusted, project);
  const ordered: SkillFolder[] = [
    ...ofProject.filter(isTrusted),
    ...userFolders(bounds.env),
    ...ofProject.filter((folder) => !isTrusted(folder)),
  ];
  const deadline = performance.now() + MAX_PARSE_MS;
  const read: ReadSkill[] = [];
  for (const folder of ordered) read.push(...(await skillsIn(folder, bounds, deadline)));
  return firstOfEachName(read);
}

/** @param file path below the skill's folder */
export async function readSkillFile(skill: Skill, file: string, bounds: SkillBounds): Promise<SkillText> {
  const { folder, project } = skill;
  const path = resolve(folder, file);
  if (path === folder || !isWithin(folder, path))
    return { unreadable: "expected a file in the skill's folder; found a path that leads out of it" };
  const isEntry = file === SKILL_FILE;
  const found = await readIn(path, isEntry ? project : folder, bounds);
  if (found === undefined || !("text" in found)) return found;
  if (found.text.includes("\0")) return { unreadable: "expected text; found a binary file" };
  return { text: visible(found.text, bounds) };
}

function userFolders(env: Environment): SkillFolder[] {
  const home = homeIn(env);
  const configHome = dirname(dirname(userConfigPath(env)));
  return [
    ownFolder(env),
    join(home, ".claude", "skills"),
    join(home, ".agents", "skills"),
    join(configHome, "opencode", "skill"),
    join(configHome, "opencode", "skills"),
  ].map((path) => ({ path }));
}

/** Skills for Deputy alone, next to the user's config. */
function ownFolder(env: Environment): string {
  return join(dirname(userConfigPath(env)), "skills");
}

function homeIn({ HOME }: Environment): string {
  return HOME || homedir();
}

/** The skills in the folders below one folder, by name. */
async function skillsIn(folder: SkillFolder, bounds: SkillBounds, deadline: number): Promise<ReadSkill[]> {
  const { path, project } = folder;
  const unreadable = (reason: string): ReadSkill => ({ problem: `${path}: ${reason}` });
  try {
    const { names, isCut } = await entriesOf(path);
    const files = await Promise.all(names.map((name) => readIn(join(path, name, SKILL_FILE), project, bounds)));
    const read = files.flatMap((file, index): ReadSkill[] => {
      const name = names[index] ?? "";
      const at = { name, folder: join(path, name), ...present({ project }) };
      if (file === undefined) return [];
      const isLate = project !== undefined && performance.now() > deadline;
      return [isLate ? unreadable(TOO_SLOW) : skillFrom(file, at, bounds)];
    });
    return isCut ? [...read, unreadable(TOO_MANY)] : read;
  } catch (error) {
    const isAbsent = ["ENOENT", "ENOTDIR"].includes(errorCode(error) ?? "");
    return isAbsent ? [] : [unreadable(`it cannot be read: ${errorMessage(error)}`)];
  }
}

const TOO_SLOW = `expected the project's skills to take at most ${MAX_PARSE_MS} ms; found that they take longer`;
const TOO_MANY = `expected at most ${MAX_ENTRIES} entries; found more. The rest is ignored`;

/** Names in a folder, sorted. */
async function entriesOf(path: string): Promise<{ names: string[]; isCut: boolean }> {
  const names: string[] = [];
  for await (const entry of await opendir(path)) {
    if (names.length === MAX_ENTRIES) return { names: names.sort(), isCut: true };
    if (!entry.isFile() && !entry.name.startsWith(".")) names.push(entry.name);
  }
  return { names: names.sort(), isCut: false };
}

/** @param within directory that links must not leave */
function readIn(path: string, within: string | undefined, bounds: SkillBounds): Promise<ForeignText> {
  const { env, isOwn, protectionOf } = bounds;
  return readForeignTextLater(path, {
    ...present({ within: within === undefined ? undefined : [within] }),
    // The user's skills for Deputy lie among Deputy's own files.
    isOwn: (real) => !isWithin(ownFolder(env), path) && isOwn(real),
    // No rule makes a file of secrets a part of a skill.
    protectionOf: (real) => (isSecretFile(real) ? `${basename(real)} usually holds secrets` : protectionOf(real)),
    maxBytes: MAX_BYTES,
  });
}

function skillFrom(
  file: NonNullable<ForeignText>,
  { name: folderName, ...place }: Omit<Skill, "description">,
  bounds: SkillBounds,
): ReadSkill {
  const path = join(place.folder, SKILL_FILE);
  const unreadable = (reason: string) => ({ problem: `${path}: ${reason}` });
  if ("unreadable" in file) return unreadable(file.unreadable);
  const matter = readFrontMatter(path, visible(file.text, bounds), KEYS);
  if ("errors" in matter) {
    // In a project, a link or a second name may lead to a secret: an error would quote from it.
    const isQuoted = place.project === undefined || !file.isShared;
    return isQuoted ? { problem: matter.errors.join("; ") } : unreadable(NO_MATTER);
  }
  const name = consumeText(matter.fields, "name") ?? folderName;
  const description = shortLine(consumeText(matter.fields, "description"), MAX_DESCRIPTION);
  if (!NAME.test(name)) return unreadable(NO_NAME);
  if (description === "") return unreadable("expected a description in its front matter; found none");
  return { skill: { name, description, ...place } };
}

const NO_MATTER = "expected front matter with a name and a description; found errors";
const NO_NAME = "expected a name of at most 64 letters, digits, blanks, dots, dashes, colons and underscores";

/** Without known keys, and without characters that hide or reorder others. */
function visible(text: string, { redact }: SkillBounds): string {
  return harmless(redact(text.replace(/^\ufeff/, "").replace(/\r\n?/g, "\n")));
}

function firstOfEachName(read: readonly ReadSkill[]): Skills {
  const found = new Map<string, Skill>();
  for (const each of read) {
    if (!("skill" in each)) continue;
    const key = each.skill.name.toLowerCase();
    if (!found.has(key)) found.set(key, each.skill);
  }
  const problems = read.flatMap((each) => ("problem" in each ? [each.problem] : []));
  const warnings = problems.map((problem) => ({
    code: "skill-unreadable",
    message: `${problem}. The skill is not used.`,
  }));
  return { found: [...found.values()], warnings };
}
