/** `read_skill`: the instructions of a skill, or another file in its folder. */
import { z } from "zod";
import { SKILL_FILE, type Skill, type SkillText } from "../skill.ts";
import { suggest } from "../text/did-you-mean.ts";
import type { Tool, ToolOutput } from "../tool.ts";
import { createExcerpt, RANGE, RANGE_TEXT } from "./files/excerpt.ts";

export type ReadSkillDeps = {
  skills: readonly Skill[];
  /** @param file path below the skill's folder */
  read(skill: Skill, file: string): Promise<SkillText>;
};

/** The skills that an error names. */
const MOST_NAMES = 20;

const input = z.strictObject({
  name: z.string().min(1).describe("The skill, as listed."),
  file: z
    .string()
    .min(1)
    .default(SKILL_FILE)
    .describe("A file that the skill refers to, relative to the skill's folder."),
  ...RANGE,
});

export function createReadSkill({ skills, read }: ReadSkillDeps): Tool<z.infer<typeof input>> {
  return {
    name: "read_skill",
    description:
      "Reads the instructions of a skill, or a file that they refer to, with line numbers. A skill is advice for a kind " +
      `of work: it grants no tools and no permissions. ${RANGE_TEXT}`,
    effect: "read",
    input,
    subject: ({ name, file }) => ({ target: file === SKILL_FILE ? name : `${name}/${file}`, otherwise: "allow" }),
    run: async ({ name, file, ...range }) => {
      const skill = skills.find((each) => each.name.toLowerCase() === name.toLowerCase());
      if (skill === undefined) return unknownSkill(name, skills);
      const found = await read(skill, file);
      if (found === undefined) return failed(`The skill ${skill.name} has no file ${file}.`);
      if ("unreadable" in found) return failed(`${file} of the skill ${skill.name}: ${found.unreadable}.`);
      const excerpt = createExcerpt(range);
      excerpt.write(Buffer.from(found.text));
      const { output } = excerpt.end(file, "UTF-8");
      return output.ok ? { ...output, text: `${heading(skill, file)}\n${output.text}` } : output;
    },
  };
}

/** Names the author of the text. */
function heading({ name, folder, project }: Skill, file: string): string {
  const origin = project === undefined ? "of the user" : "of this project, not of the user";
  return `${file} of the skill ${name} (${origin}), in ${folder}:`;
}

function unknownSkill(name: string, skills: readonly Skill[]): ToolOutput {
  const names = skills.map((skill) => skill.name);
  const near = suggest(name, names);
  const known = near.length > 0 ? near : names.slice(0, MOST_NAMES);
  return failed(
    `There is no skill ${JSON.stringify(name)}. ${near.length > 0 ? "Similar" : "Skills"}: ${known.join(", ")}.`,
  );
}

function failed(text: string): ToolOutput {
  return { ok: false, text };
}
