/**
 * Files that a rule denies, or whose name says that they hold secrets, are aimed at by every tool, through nested
 * directories, links and odd spellings. An ordinary file beside them stays readable.
 */
import { mkdirSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { ModelRequest, TurnToolCall } from "../../../src/testing/index.ts";
import { stepOf } from "../../support/end-to-end.ts";
import { aimedAt } from "./calls.ts";
import { findChanges, takeSnapshot } from "./detectors.ts";
import { newToken } from "./draw.ts";
import { plant, write } from "./place.ts";
import type { Round } from "./round.ts";
import { runSomehow } from "./run.ts";

/** Rules with files that they cover. */
const RULES: Record<string, readonly string[]> = {
  "closed/*": ["closed/a.txt", "app/closed/deep/er/b.txt", "closed/é.txt"],
  "Plan.txt": ["plan.txt", "app/PLAN.TXT"],
  ".git/hooks": ["sub/.git/hooks/pre-commit"],
  "**/inner/*.md": ["inner/a.md", "x/y/inner/b.md"],
  "./listed/one.txt": ["listed/one.txt", "app/listed/one.txt"],
};
const SECRET_FILES = [".env", "app/.env.production", "deploy/id_ed25519", "server.pem", ".aws/credentials", ".npmrc"];

export async function attackPathRules(round: Round): Promise<void> {
  const { draw, place } = round;
  const rules = draw.some(Object.keys(RULES), draw.whole(1, 3));
  const then = draw.pick(["deny", "ask"]);
  round.configure({ permissions: rules.map((match) => ({ tool: "*", match, then })) });
  const names = [...rules.flatMap((rule) => RULES[rule] ?? []), ...draw.some(SECRET_FILES, draw.whole(1, 4))];
  const targets = names.map((name) => join(place.workspace, name));
  for (const path of targets) write(path, `${plant(place, "escape", `the file ${path}`)}\nsecond line\n`);
  const plain = newToken();
  write(join(place.workspace, "closed-but-open/plain.txt"), `${plain}\n`);
  const links = linksTo(targets, round);
  round.userChanged();
  const look = () => new Map(targets.flatMap((path) => [...takeSnapshot(path, () => false)]));
  const before = look();
  const honest = { name: "read_file", input: { path: "closed-but-open/plain.txt" } };
  round.answerWith((request) => {
    if (stepOf(request) > 2) return { text: "Done." };
    const aimed = aimedAt([...targets, ...links], round, draw.whole(8, 20));
    return { toolCalls: [honest, ...aimed, ...Array.from({ length: 4 }, () => search(targets, round))] };
  });
  const run = await runSomehow(round, [{ goal: "Order 0" }], { ends: ["by itself", "by itself", "by itself", "kill"] });
  for (const breach of findChanges(before, look())) round.breach(breach);
  if ((await run.ended).code === 0 && !round.requests.some((request) => isTold(request, plain)))
    round.breach({ kind: "lost", words: "an ordinary file beside denied ones was not shown" });
}

/** Links to the files, to their directories, and to other links. */
function linksTo(targets: readonly string[], { draw, place }: Round): string[] {
  return draw.some(targets, draw.whole(1, 4)).map((target, index) => {
    const at = join(place.workspace, draw.pick(["links", "links/deep", "."]), `way-${index}`);
    mkdirSync(dirname(at), { recursive: true });
    const toFolder = draw.chance(0.4);
    symlinkSync(toFolder ? dirname(target) : target, `${at}.first`);
    symlinkSync(`${at}.first`, at);
    return toFolder ? join(at, basename(target)) : at;
  });
}

function search(targets: readonly string[], { draw }: Round): TurnToolCall {
  const name = basename(draw.pick(targets));
  return draw.pick<TurnToolCall>([
    { name: "grep", input: { pattern: "^[0-9a-f]{40}$" } },
    { name: "grep", input: { pattern: "second", include: `**/${name}` } },
    { name: "grep", input: { pattern: ".", include: `{${name},*.${newToken().slice(0, 3)}}` } },
    { name: "glob", input: { pattern: `**/[${name[0]}]${name.slice(1)}` } },
    { name: "list_dir", input: { path: "links" } },
  ]);
}

function isTold({ messages }: ModelRequest, text: string): boolean {
  return messages.some(({ toolResults }) => toolResults.some((result) => result.text.includes(text)));
}
