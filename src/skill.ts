/** Skills: instructions for certain kinds of work, each in a folder with a SKILL.md, which a child reads on demand. */
import type { Warning } from "./errors.ts";

export const SKILL_FILE = "SKILL.md";

export type Skill = {
  name: string;
  description: string;
  /** The directory of its SKILL.md, absolute. */
  folder: string;
  /** Directory of the project that it belongs to, which its links must not leave; absent for the user's own skills. */
  project?: string;
};

/** `found`: one per name. `warnings`: files that could not be read. */
export type Skills = { found: readonly Skill[]; warnings: readonly Warning[] };

/** A file of a skill, or why it cannot be read, as a clause; undefined if there is none. */
export type SkillText = { text: string } | { unreadable: string } | undefined;
