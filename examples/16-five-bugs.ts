// Fixes five bugs in five working copies, applies four and names the conflict of the fifth. The models are scripted.
//   node examples/16-five-bugs.ts          in a clone of Deputy, first: npm run build
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDeputy } from "deputize";
import { createMemoryJournal, createModelServer } from "deputize/testing";

const home = mkdtempSync(join(tmpdir(), "five-bugs-"));
const identity = ["-c", "user.name=me", "-c", "user.email=me@home"];
const git = (...args: string[]) => execFileSync("git", [...identity, ...args], { cwd: home });
git("init", "-q");
git("commit", "-q", "--allow-empty", "-m", "Five bugs");

const server = await createModelServer({
  script({ messages }) {
    const { text = "" } = messages.find(({ role }) => role === "user") ?? {};
    const [, path, content] = /Write (\S+): (.*)/.exec(text) ?? [];
    const isDone = messages.some(({ toolResults }) => toolResults.length > 0);
    return isDone ? { text: "Fixed." } : { toolCalls: [{ name: "write_file", input: { path, content } }] };
  },
});
const env = { ...process.env, HOME: home, ZAI_API_KEY: "key", GLM_BASE_URL: server.baseUrl("chat_completions") };
const deputy = createDeputy({ cwd: home, env, journal: createMemoryJournal(), parent: { provider: "zai" } });
const fixes = ["a.js: a = 1", "b.js: b = 2", "c.js: c = 3", "d.js: d = 4", "a.js: a = one"];
const tasks = fixes.map((fix) => ({ goal: `Write ${fix}`, isolation: "worktree" }) as const);
const { delegation_id: id } = await deputy.delegate(tasks);

const { children } = await deputy.apply(id);
const found = children.map(({ status, conflicts = [] }) => [status, ...conflicts.map(({ path }) => path)].join(": "));
assert.deepEqual(found, ["applied", "applied", "applied", "applied", "conflict: a.js"]);
console.log(found.join("\n"));
await deputy.close();
await server.close();
