/** Calls that a child makes again and again: told, then ended, but only if nothing changes meanwhile. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Reply } from "../../src/child/wire/reply/reply.ts";
import type { ChildEvent } from "../../src/event.ts";
import type { Tool } from "../../src/tool.ts";
import { calls, type Played, play, type Staged, says, tool } from "../support/child-stage.ts";

const said = (events: readonly ChildEvent[]) =>
  events.flatMap((event) => (event.kind === "message-add" ? [event.reason] : []));

const list = tool("list_dir", "read", (word) => `files of ${word}`);

/** A child that looks at these folders in turn, so many times, unless it has to answer. */
function goesRound(words: readonly string[], most: number, staged: Staged = {}): Promise<Played> {
  return play(
    ({ mustAnswer }, index) =>
      mustAnswer || index >= most ? says("That is all.") : calls(["list_dir", { word: words[index % words.length] }]),
    { tools: [list], ...staged },
  );
}

describe("calls of one answer, or of up to three in turn, with the same outcomes", () => {
  for (const words of [["a"], ["a", "b"], ["a", "b", "c"], ["a", "a", "b"]]) {
    const round = words.length;
    const name = words.join(", ");

    test(`${name}: three times in a row are told, six end the child`, async () => {
      const { result, stored, requests } = await goesRound(words, 100);
      assert.deepEqual(said(stored), ["repeated_call", "looping"]);
      assert.deepEqual([result.status, result.exit_reason, result.limit], ["incomplete", "looping", 6]);
      assert.equal(result.summary, "That is all.");
      const told = requests.findIndex(({ messages }) =>
        messages.some((message) => JSON.stringify(message).includes("in a row")),
      );
      assert.deepEqual([told, requests.length], [3 * round, 6 * round + 1]);
    });

    test(`${name}: fewer than three times are not told`, async () => {
      const { result, stored } = await goesRound(words, 3 * round - 1);
      assert.deepEqual([result.status, said(stored)], ["completed", []]);
    });

    test(`${name}: a child that stops after it was told is completed, and told again of the next repetition`, async () => {
      const twice = [...Array(3).fill(words).flat(), "new", ...Array(3).fill(words).flat()];
      const { result, stored } = await goesRound(twice, twice.length);
      assert.deepEqual([result.status, said(stored)], ["completed", ["repeated_call", "repeated_call"]]);
      assert.deepEqual(result.quirks, { repeated_call: 2 });
    });

    test(`${name}: a child that continues after a crash is told and ended at the same requests`, async () => {
      const whole = await goesRound(words, 100);
      for (let cut = 1; cut < whole.stored.length; cut += 1) {
        const past = whole.stored.slice(0, cut);
        const before = past.filter(({ kind }) => kind === "step-end").length;
        const rest = await play(
          ({ mustAnswer }, index) =>
            mustAnswer ? says("That is all.") : calls(["list_dir", { word: words[(before + index) % round] }]),
          { tools: [list], past },
        );
        assert.deepEqual(said([...past, ...rest.stored]), said(whole.stored), `cut after ${cut} events`);
        assert.equal(before + rest.requests.length, whole.requests.length);
      }
    });
  }

  test("the message names one call, or several", async () => {
    const toldOf = async (words: string[]) => {
      const { stored } = await goesRound(words, 9);
      return stored.find((event) => event.kind === "message-add")?.text;
    };
    assert.match((await toldOf(["a"])) ?? "", /^You have made the same call three times in a row/);
    assert.match(
      (await toldOf(["a", "b"])) ?? "",
      /^You have made the same calls in the same order three times in a row/,
    );
  });

  test("several calls of an answer count as one", async () => {
    const both = calls(["list_dir", { word: "a" }], ["list_dir", { word: "b" }]);
    const { stored, requests } = await play(({ mustAnswer }) => (mustAnswer ? says("No.") : both), { tools: [list] });
    assert.deepEqual([said(stored), requests.length], [["repeated_call", "looping"], 7]);
    const many = calls(...Array.from({ length: 20 }, () => ["list_dir", { word: "a" }] as [string, unknown]));
    const once = await play([many, says("done")], { tools: [list] });
    assert.deepEqual([once.result.status, said(once.stored)], ["completed", []]);
  });

  test("a turn of the user begins anew", async () => {
    const { stored } = await goesRound(["a", "b"], 100);
    const about = { at: 1, delegationId: "d", childId: "d.1" };
    const next: ChildEvent = { kind: "message-add", ...about, reason: "user", text: "Once more." };
    const past = [...stored.filter(({ kind }) => kind !== "child-end"), next];
    const again = await goesRound(["a", "b"], 5, { past });
    assert.deepEqual([again.result.status, said(again.stored)], ["completed", []]);
    assert.equal(again.requests.length, 6);
  });
});

describe("no repetition is", () => {
  /** Plays a child that makes these calls in turn, 24 answers long. */
  const inTurn = (tools: Tool[], turns: readonly Reply[]) =>
    play((_, index) => (index < 24 ? (turns[index % turns.length] ?? says("")) : says("done")), { tools });

  const checks: Record<string, () => Promise<Played>> = {
    "polling whose output changes": () => {
      let percent = 0;
      return inTurn(
        [tool("terminal", "write", () => `${++percent} %`)],
        [calls(["terminal", { word: "cat progress" }])],
      );
    },
    "polling between sleeps": () => {
      let percent = 0;
      const terminal = tool("terminal", "write", (word) => (word === "sleep 5" ? "[exit code 0]" : `${++percent} %`));
      return inTurn([terminal], [calls(["terminal", { word: "sleep 5" }]), calls(["terminal", { word: "progress" }])]);
    },
    "an edit and a test in turn, as long as the test changes": () => {
      let failures = 30;
      return inTurn(
        [tool("edit", "write", () => "changed"), tool("test", "write", () => `${failures--} tests fail`)],
        [calls(["edit", { word: "a.ts" }]), calls(["test", { word: "npm test" }])],
      );
    },
    "another edit of the same file before the same failing test": () => {
      const edit: Tool = {
        ...tool("edit", "write", () => ""),
        subject: () => ({ target: "a.ts", otherwise: "allow" }),
        run: async () => ({ ok: true, text: "a.ts: replaced 1 text", filesChanged: ["a.ts"] }),
      };
      const test = tool("test", "write", () => "1 test fails");
      return play(
        (_, index) =>
          index >= 24
            ? says("done")
            : index % 2 === 0
              ? calls(["edit", { word: `try ${index}` }])
              : calls(["test", { word: "npm test" }]),
        { tools: [edit, test] },
      );
    },
    "a walk through many files": () =>
      play((_, index) => (index < 24 ? calls(["list_dir", { word: `folder ${index}` }]) : says("done")), {
        tools: [list],
      }),
    "a cycle of more than three answers": () =>
      inTurn(
        [list],
        ["a", "b", "c", "d"].map((word) => calls(["list_dir", { word }])),
      ),
  };
  for (const [what, run] of Object.entries(checks))
    test(what, async () => {
      const { result, stored } = await run();
      assert.deepEqual([result.status, said(stored)], ["completed", []]);
    });

  test("(unlike these) the same edit, done and undone in turn, which is told", async () => {
    const edit: Tool = {
      ...tool("edit", "write", () => ""),
      run: async () => ({ ok: true, text: "replaced", filesChanged: ["a.ts"] }),
    };
    const { stored } = await inTurn([edit], [calls(["edit", { word: "do" }]), calls(["edit", { word: "undo" }])]);
    assert.deepEqual(said(stored), ["repeated_call", "looping"]);
  });
});
