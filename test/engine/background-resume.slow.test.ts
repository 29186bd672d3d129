/** Background commands of a child that continues in another process: known by their ids, and ended. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createDeputy } from "../../src/engine/deputy.ts";
import { createMemoryJournal, type ModelRequest, type Script } from "../../src/testing/index.ts";
import { stage } from "../support/whole-stage.ts";

const resultsOf = ({ messages }: ModelRequest) =>
  messages.flatMap(({ toolResults }) => toolResults.map(({ text }) => text));

const idIn = (text = "") => /\[(\d+-[\da-f]{4}) /.exec(text)?.[1] ?? "";

/** Starts a command, reads its output and that of a command that never was, then answers. */
const script: Script = (request) => {
  const results = resultsOf(request);
  const read = (id: string) => ({ toolCalls: [{ id: `r${results.length}`, name: "terminal_output", input: { id } }] });
  if (results.length === 0)
    return { toolCalls: [{ id: "s", name: "terminal", input: { command: "echo up; sleep 300", background: true } }] };
  if (results.length === 1) return read(idIn(results[0]));
  return results.length === 2 ? read("7-beef") : { text: "done" };
};

test("a command of the process before is said to have ended, and one that never was does not exist", async () => {
  const config = { permissions: [{ tool: "terminal", match: "*", then: "allow" }] };
  const { requests } = await stage({ config, script }, async (place) => {
    const journal = createMemoryJournal();
    const first = createDeputy({ ...place, journal });
    const { delegation_id: id } = await first.delegate({ goal: "Serve." });
    await first.close();
    const events = (await Array.fromAsync(journal.read({ delegationId: id }))).map(({ event }) => event);
    const cut = createMemoryJournal();
    await cut.append(events.slice(0, events.findIndex(({ kind }) => kind === "tool-end") + 1));
    const second = createDeputy({ ...place, journal: cut });
    await (await second.resume(id)).result;
    await second.close();
  });
  const [started, before, never] = requests.slice(-1).flatMap(resultsOf);
  const id = idIn(started);
  assert.match(before ?? "", new RegExp(`^\\[${id} has ended: it ended with the process that ran it\\.`));
  assert.equal(never, `There is no background command 7-beef. Those that you started: ${id} (has ended).`);
  const whole = requests.slice(0, 4).slice(-1).flatMap(resultsOf);
  assert.match(whole[1] ?? "", /\[\d+-[\da-f]{4} runs in the background/);
  assert.equal(
    whole[2],
    `There is no background command 7-beef. Those that you started: ${idIn(whole[0])} (echo up; sleep 300; runs).`,
  );
});
