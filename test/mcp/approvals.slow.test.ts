/** Approval requests on their way to the user of an MCP client, and the outcome of unanswered ones. */
import assert from "node:assert/strict";
import { isAbsolute } from "node:path";
import { describe, test } from "node:test";
import type { Report } from "../../src/report.ts";
import type { Script } from "../../src/testing/index.ts";
import { until } from "../support/command-line.ts";
import { CLIENTS, type Person } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

/** A child that runs a command, and then reports the result. */
const script: Script = ({ messages }) => {
  const last = messages.at(-1);
  if (last?.role === "tool") return { text: `It said: ${last.toolResults[0]?.text}` };
  return { toolCalls: [{ name: "terminal", input: { command: "echo roar" } }] };
};

const TASK = { goal: "Let it roar", toolsets: ["terminal"] };

/** A user's answer to a child's approval request. */
async function answered(kind: (typeof CLIENTS)[number], person: Person, config = {}): Promise<Report> {
  let report: Report | undefined;
  await onMcpStage({ script, config }, async ({ client }) => {
    report = (await (await client(kind, person)).call("delegate_task", TASK)).data as Report;
  });
  assert.ok(report);
  return report;
}

for (const kind of CLIENTS) {
  describe(`a ${kind} client`, () => {
    test("shows its user who asks and exactly what would run; allowed, it runs", async () => {
      const asked: string[] = [];
      await onMcpStage({ script }, async ({ client, engine }) => {
        const agent = await client(kind, (message) => {
          asked.push(message);
          return { action: "accept" };
        });
        const { delegation_id: id, results } = (await agent.call("delegate_task", TASK)).data as Report;
        const events = await Array.fromAsync(engine.events(id));
        const [ask] = events.filter((event) => event.kind === "approval-ask");
        const [end] = events.filter((event) => event.kind === "approval-end");
        assert.ok(ask?.directory !== undefined && isAbsolute(ask.directory));
        const head = new RegExp(
          `^${id}\\.1 \\(Let it roar\\) on \\S+ @ \\S+ asks to run terminal(?: in the sandbox)? in ${ask.directory}:$`,
        );
        const [first = "", ...rest] = asked.join("\n\n").split("\n\n");
        assert.match(first, head);
        assert.deepEqual(rest, ["echo roar", "Accept allows exactly this, once. Decline denies it."]);
        assert.match(results[0]?.summary ?? "", /It said: .*roar/s);
        assert.equal(end?.by, "mcp (a test)");
      });
    });

    test("passes on a no, with its reason, to the child", async () => {
      const no = await answered(kind, () => ({ action: "accept", content: { decision: "deny", reason: "too loud" } }));
      assert.match(no.results[0]?.summary ?? "", /It said: Not allowed: denied by the user: too loud/);
      const declined = await answered(kind, () => ({ action: "decline" }));
      assert.match(declined.results[0]?.summary ?? "", /It said: Not allowed: denied by the user/);
    });

    test("that dismisses the form has not answered: the request times out", async () => {
      const config = { delegation: { approval_timeout_seconds: 0.3 } };
      const { results } = await answered(kind, () => ({ action: "cancel" }), config);
      assert.match(results[0]?.summary ?? "", /Not allowed: nobody answered within 0.3 s/);
    });

    test("accepts with whatever content its client sends for a form without fields", async () => {
      for (const filled of [{}, { content: {} }, { content: { decision: "allow" } }]) {
        const { results } = await answered(kind, () => ({ action: "accept", ...filled }));
        assert.match(results[0]?.summary ?? "", /It said: .*roar/s);
      }
    });

    test("without forms gets the pending request, may deny it, and may not approve it", async () => {
      await onMcpStage({ script }, async ({ client }) => {
        const agent = await client(kind);
        const { text, data } = await agent.call("delegate_task", TASK);
        const { delegation_id: id, questions, next } = data as Report;
        assert.deepEqual(
          questions.map(({ child_id, tool, target }) => [child_id, tool, target]),
          [[`${id}.1`, "terminal", "echo roar"]],
        );
        const [{ directory = "", request = "" } = {}] = questions;
        assert.ok(
          text.includes(
            `It would run in ${directory}. The user can decide with \`deputy approve ${id}.1 --request ${request}\``,
          ),
        );
        assert.match(text, /asks to run terminal: echo roar/);
        assert.match(next ?? "", /Tell the user about the pending/);
        const approved = await agent.call("control_delegation", { id: `${id}.1`, action: "approve" });
        assert.ok(approved.isError);
        const denied = await agent.call("control_delegation", { id: `${id}.1`, action: "deny", message: "not now" });
        assert.match(denied.text, /Denied for .*: echo roar/);
        const { data: checked = {} } = await agent.call("check_delegation", { id });
        assert.match((checked.delegation as Report).results[0]?.summary ?? "", /Not allowed: not now/);
      });
    });
  });
}

describe("a question over MCP", () => {
  test("can be answered from elsewhere while the form is open, and a late form changes nothing", async () => {
    for (const kind of CLIENTS) {
      const { promise: shown, resolve: show } = Promise.withResolvers<void>();
      const { promise: gone, resolve: go } = Promise.withResolvers<void>();
      const person: Person = async () => {
        show();
        await gone;
        return { action: "decline" };
      };
      await onMcpStage({ script }, async ({ client, engine }) => {
        const agent = await client(kind, person);
        const call = agent.call("delegate_task", TASK);
        await shown;
        const [question] = await engine.questions();
        assert.ok(question);
        const { counted } = await engine.answer({
          id: question.childId,
          allowed: true,
          reason: "fine",
          by: "terminal",
        });
        await until(async () => (await engine.runs())[0]?.owner === "none");
        go();
        const { results } = (await call).data as Report;
        assert.deepEqual([counted, results[0]?.status], [true, "completed"]);
        assert.match(results[0]?.summary ?? "", /roar/);
      });
    }
  });

  test("reaches the user from the children of a child too", async () => {
    const nested: Script = (request) => {
      const isTop = request.messages[0]?.text.includes("top") === true;
      const told = request.messages.at(-1)?.toolResults[0]?.text;
      if (!isTop) return script(request);
      if (told !== undefined) return { text: told };
      return { toolCalls: [{ name: "delegate_task", input: { goal: "roar", toolsets: ["terminal"] } }] };
    };
    const config = { delegation: { max_spawn_depth: 2 } };
    for (const kind of CLIENTS)
      await onMcpStage({ script: nested, config }, async ({ client }) => {
        const asked: string[] = [];
        const agent = await client(kind, (message) => {
          asked.push(message);
          return { action: "accept", content: { decision: "allow" } };
        });
        const call = { goal: "top", role: "orchestrator" };
        const { delegation_id: id, results } = (await agent.call("delegate_task", call)).data as Report;
        assert.equal(asked.length, 1);
        assert.match(
          asked[0] ?? "",
          new RegExp(
            `^${id}\\.1\\.1\\.1 \\(roar\\) on \\S+ @ \\S+ asks to run terminal(?: in the sandbox)? in /.*:\n\necho roar\n\nAccept allows`,
          ),
        );
        assert.match(results[0]?.summary ?? "", /It said: .*roar/s);
        const blind = (await (await client(kind)).call("delegate_task", call)).data as Report;
        assert.deepEqual(
          blind.questions.map(({ child_id: child, target }) => [child, target]),
          [[`${blind.delegation_id}.1.1.1`, "echo roar"]],
        );
      });
  });

  test("is approved by the model where the operator lets it", async () => {
    await onMcpStage({ script, config: { delegation: { approvals_by_model: true } } }, async ({ client }) => {
      const agent = await client("1.x");
      const { delegation_id: id } = (await agent.call("delegate_task", TASK)).data as Report;
      const { text } = await agent.call("control_delegation", { id, action: "approve" });
      assert.match(text, /Approved for .*: echo roar/);
      const { data = {} } = await agent.call("check_delegation", { id });
      assert.match((data.delegation as Report).results[0]?.summary ?? "", /It said: .*roar/s);
    });
  });

  test("that was not shown to the model is shown instead of approved; denied it may be", async () => {
    const config = { delegation: { approvals_by_model: true } };
    await onMcpStage({ script, config }, async ({ client, engine }) => {
      const agent = await client("2.x");
      const unseen = await client("1.x");
      const { delegation_id: id } = (await agent.call("delegate_task", TASK)).data as Report;
      const first = await unseen.call("control_delegation", { id, action: "approve" });
      assert.ok(first.isError);
      assert.match(
        first.text,
        /Nothing was approved: .* asks to run terminal(?: in the sandbox)? in \/.*: echo roar\nApprove again/,
      );
      assert.equal((await engine.questions()).length, 1);
      assert.match((await unseen.call("control_delegation", { id, action: "approve" })).text, /Approved for/);
      const events = await Array.fromAsync(engine.events(id));
      const [end] = events.filter((event) => event.kind === "approval-end");
      assert.equal(end?.by, "mcp (model of a test)");
      const other = (await agent.call("delegate_task", { ...TASK, goal: "More" })).data as Report;
      const denied = await unseen.call("control_delegation", { id: other.delegation_id, action: "deny" });
      assert.match(denied.text, /Denied for/);
    });
  });
});
