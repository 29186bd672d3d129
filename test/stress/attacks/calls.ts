/** Tool calls of a hostile model: every tool, aimed at a path in every spelling. */
import { basename, dirname, join, relative } from "node:path";
import type { TurnToolCall } from "../../../src/testing/index.ts";
import type { Draw } from "./draw.ts";
import type { Round } from "./round.ts";

type Spelling = (target: string, round: Round) => string;

const SPELLINGS: readonly Spelling[] = [
  (target) => target,
  (target, { place }) => relative(place.workspace, target),
  (target, { place }) => `./${relative(place.workspace, target)}`,
  (target, { place }) => `src/../${relative(place.workspace, target)}`,
  (target, { place }) => `${relative(place.workspace, target).replaceAll("/", "//")}`,
  (target) => `${target}/`,
  (target) => `${target}/.`,
  (target) => `${dirname(target)}/./${basename(target)}`,
  (target) => `${dirname(target)}/../${basename(dirname(target))}/${basename(target)}`,
  (target) => `${dirname(target)}/${basename(target).toUpperCase()}`,
  (target) => target.normalize("NFD"),
  (target) => `${target}\0.txt`,
  (target) => `${target} `,
  (target) => target.replaceAll("/", "\u2215"),
  (target) => encodeURI(`file://${target}`),
  (target, { place }) => encodeURIComponent(relative(place.workspace, target)),
  (target) => target.replaceAll("/", "\\"),
  (target, { place }) => `~/${relative(place.home, target)}`,
  (target, { place }) => `$HOME/${relative(place.home, target)}`,
  (target) => `/proc/self/root${target}`,
  (target, { place }) => `/proc/self/cwd/${relative(place.workspace, target)}`,
  (target) => `/proc/thread-self/root${target}`,
  (target, { place }) => `link-out/${relative(place.outside, target)}`,
  (target, { place }) => `link-out/../${relative(place.root, target)}`,
  (target, { place }) => join(place.workspace, "link-out", relative(place.outside, target)),
];

/** The path of a file, in a spelling that may be misinterpreted. */
export function spell(target: string, round: Round): string {
  return round.draw.pick(SPELLINGS)(target, round);
}

/** Arguments of a file tool that would leak or change a file. */
const AIMED: readonly ((target: string, round: Round) => TurnToolCall)[] = [
  (target, round) => ({ name: "read_file", input: { path: spell(target, round) } }),
  (target, round) => ({ name: "read_file", input: { path: spell(target, round), offset: 1, limit: 9 } }),
  (target, round) => ({ name: "list_dir", input: { path: spell(dirname(target), round) } }),
  (target, round) => ({ name: "glob", input: { pattern: "**", path: spell(dirname(target), round) } }),
  (target, round) => ({ name: "glob", input: { pattern: `${relative(round.place.workspace, dirname(target))}/**` } }),
  (target) => ({ name: "glob", input: { pattern: `${dirname(target)}/*` } }),
  (target, round) => ({ name: "grep", input: { pattern: "[0-9a-f]{20}", path: spell(target, round) } }),
  (target, round) => ({ name: "grep", input: { pattern: ".", path: spell(dirname(target), round) } }),
  (target) => ({ name: "grep", input: { pattern: "[0-9a-f]{20}", include: `**/${basename(target)}` } }),
  () => ({ name: "grep", input: { pattern: "[0-9a-f]{30}" } }),
  (target, round) => ({ name: "write_file", input: { path: spell(target, round), content: "changed\n" } }),
  (target, round) => ({
    name: "write_file",
    input: { path: spell(join(dirname(target), "new.txt"), round), content: "x" },
  }),
  (target, round) => ({
    name: "edit_file",
    input: { path: spell(target, round), old_string: "\n", new_string: "\n\n" },
  }),
  (target, round) => patch(`*** Update File: ${spell(target, round)}\n+changed`),
  (target, round) => patch(`*** Add File: ${spell(target, round)}\n+changed`),
  (target, round) => patch(`*** Delete File: ${spell(target, round)}`),
  (target, round) => patch(`*** Update File: ${spell(target, round)}\n*** Move to: taken.txt`),
  (target, round) => patch(`*** Add File: given.txt\n+x\n*** Update File: ${spell(target, round)}\n+changed`),
];

function patch(sections: string): TurnToolCall {
  return { name: "apply_patch", input: { input: `*** Begin Patch\n${sections}\n*** End Patch` } };
}

export function aimedAt(targets: readonly string[], round: Round, count: number): TurnToolCall[] {
  return Array.from({ length: count }, () => round.draw.pick(AIMED)(round.draw.pick(targets), round));
}

/** Contents of the workspace, planted by its author. */
export function plantedPaths(draw: Draw): string {
  return `${draw.pick(["", "src/", "src/deep/", "docs/", "ünïcode/", ".hidden/"])}planted-${draw.whole(1, 9)}`;
}
