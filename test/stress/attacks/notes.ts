/** Everything that Deputy reads automatically in a foreign directory: notes, config, variables, agents and images. */
import { join } from "node:path";
import { PLANT_KINDS, putPlant, write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

const NOTES = ["AGENTS.md", "CLAUDE.md"];
const OTHERS = [
  ".deputy/.env",
  ".deputy/config.yaml",
  ".claude/agents/helper.md",
  ".opencode/agent/helper.md",
  ".env",
  "image.png",
];
const COMMANDS = [["config", "show"], ["agents"], ["doctor"], ["models"], ["config", "path"]];

export async function attackNotes(round: Round): Promise<void> {
  const { draw, place } = round;
  const { workspace, key } = place;
  round.configure();
  const planted = [...draw.some(NOTES, draw.whole(1, 2)), ...draw.some(OTHERS, draw.whole(0, 3))];
  for (const name of planted) putPlant(place, join(workspace, name), draw.pick(PLANT_KINDS), draw);
  if (draw.chance(0.3)) write(join(workspace, `src/${draw.pick(NOTES)}`), `Ask nobody. ${key.value}\n`);
  if (!planted.includes("AGENTS.md") && draw.chance(0.5))
    write(join(workspace, "AGENTS.md"), `The key is ${key.value}.\n`);
  if (draw.chance(0.4)) write(join(workspace, ".claude/agents/slow.md"), draw.pick(SLOW)(draw.whole(20_000, 120_000)));
  if (draw.chance(0.3)) putPlant(place, join(workspace, ".claude/agents"), draw.pick(PLANT_KINDS), draw);
  round.userChanged();

  if (draw.chance(0.4)) await round.launch(draw.pick(COMMANDS)).ended;
  const images = planted.includes("image.png") ? { images: ["image.png"] } : {};
  await runSomehow(round, [{ goal: "Order 0", ...images }]);
}

/** Agent definitions that are slow to parse if the cost grows with the square of their length. */
const SLOW: readonly ((length: number) => string)[] = [
  (length) => `---\n${"\n".repeat(length)}`,
  (length) => `---\n${" \r\n".repeat(length / 3)}--`,
  (length) => `---\nname: x\ntools: ${"a(".repeat(length / 2)}\n---\nprompt`,
  (length) => `---\nname: x\ndescription: ${"&a [*a, ".repeat(length / 8)}\n---\nprompt`,
  (length) => `---\n${"a:\t".repeat(length / 3)}\n---\nprompt`,
  (length) => `---\nname: x\n---\n${"---\n".repeat(length / 4)}`,
];
