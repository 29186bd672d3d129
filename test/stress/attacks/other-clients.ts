/** An MCP client lists, reads, steers and stops the runs of other clients and terminals. Its own stay in reach. */
import { stepOf, taskOf } from "../../support/end-to-end.ts";
import { newToken } from "./draw.ts";
import { type Era, openRawClient, type RawClient } from "./mcp.ts";
import type { Round } from "./round.ts";

export async function attackByOtherClients(round: Round): Promise<void> {
  const { draw } = round;
  const [secret, own, order] = [newToken(), newToken(), newToken()];
  round.configure({ mcp: { return_after_seconds: 1 }, delegation: { approval_timeout_seconds: 60 } });
  round.answerWith((request) => {
    const mark = /victim|own/.exec(taskOf(request))?.[0] ?? "nobody";
    if (stepOf(request) > 1) return { text: "Done." };
    return {
      text: mark === "own" ? own : secret,
      toolCalls: [{ name: "terminal", input: { command: round.command(mark) } }],
    };
  });
  await round.whileAwaiting(async () => {
    const eras: Era[] = ["2025", "2026"];
    const end = draw.chance(0.5)
      ? await victimInTerminal(round, secret)
      : await victimOfClient(round, secret, draw.pick(eras));
    const id = (await round.runId()) ?? "";
    const client = await openRawClient(round, draw.pick(eras), {
      name: draw.pick(["another", "a client-2", "A Client"]),
    });
    await spy(round, client, id, order);
    if (client.process.stdout().includes(secret)) round.breach({ kind: "escape", words: "a client saw another's run" });
    await client.call("delegate_task", { goal: `own ${own}` });
    await client.call("check_delegation", {});
    if (!client.process.stdout().includes(own))
      round.breach({ kind: "lost", words: "a client did not see its own run" });
    await client.close();
    if ((await round.stored()).some((event) => event.kind === "delegation-end" && event.delegationId === id))
      round.breach({ kind: "escape", words: "a client ended another's run" });
    await end();
  });
  if (round.requests.some((request) => JSON.stringify(request.body).includes(order)))
    round.breach({ kind: "escape", words: "a client's message reached another's child" });
}

/** @returns what ends it */
async function victimInTerminal(round: Round, secret: string): Promise<() => Promise<void>> {
  const tasks = round.tasks([{ goal: `victim ${secret}` }]);
  const run = round.launch(["run", tasks, "--wait-for-approval", "--json"], { limits: ":" });
  await round.until(() => isAsked(round), run);
  return async () => {
    run.askToEnd("SIGTERM");
    await run.ended;
  };
}

async function victimOfClient(round: Round, secret: string, era: Era): Promise<() => Promise<void>> {
  const owner = await openRawClient(round, era);
  await owner.call("delegate_task", { goal: `victim ${secret}` });
  await round.until(() => isAsked(round), owner.process);
  return owner.close;
}

async function isAsked(round: Round): Promise<boolean> {
  return (await round.stored()).some((event) => event.kind === "approval-ask");
}

/** Asks for the run by every name that it has, in every way. */
async function spy({ draw }: Round, client: RawClient, id: string, message: string): Promise<void> {
  const names = [id, `${id}.1`, id.slice(0, 4), id.toUpperCase(), `${id}.1.1`, ` ${id}`, "last", "*"];
  const control = (action: string) => (name: string) =>
    client.call("control_delegation", { id: name, action, message });
  const ways = [
    (name: string) => client.call("check_delegation", { id: name, wait_seconds: 0 }),
    (name: string) => client.ask("resources/read", { uri: `deputy://runs/${name}` }),
    (name: string) => client.ask("resources/read", { uri: `deputy://runs/${name}/1` }),
    (name: string) => client.ask("resources/subscribe", { uri: `deputy://runs/${name}` }),
    ...["steer", "stop", "deny", "approve"].map(control),
  ];
  await client.call("check_delegation", {});
  await client.ask("resources/list", {});
  for (let count = draw.whole(6, 14); count > 0; count--) await draw.pick(ways)(draw.pick(names));
}
