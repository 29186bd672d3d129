/** Files of tasks: what planning accepts, what a child gets, what the journal stores, and what a resumed child finds. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeputy } from "../../../src/engine/deputy.ts";
import type { Result } from "../../../src/result.ts";
import { createMemory, createMemoryJournal, createModelServer, type Script } from "../../../src/testing/index.ts";

type Lab = {
  work: string;
  write(path: string, content: Buffer | string): void;
  run(files: string[], more?: object): Promise<Result>;
  open(): ReturnType<typeof createDeputy>;
  memory: ReturnType<typeof createMemory>;
  /** The first user message of each request. */
  asked(): string[];
};

async function inLab(script: Script, work: (lab: Lab) => Promise<void>, config: object = {}): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "deputy-files-"));
  const server = await createModelServer({ script });
  try {
    for (const directory of ["work/inner", "extra", "away"]) mkdirSync(join(home, directory), { recursive: true });
    const models = { one: { context_window: 8_000 }, wide: { context_window: 2_000_000 } };
    const whole = {
      provider: "lab",
      extra_dirs: [join(home, "extra")],
      providers: {
        lab: {
          base_url: server.baseUrl("chat_completions"),
          default_model: "wide",
          models,
          api_key_env: "LAB_API_KEY",
        },
      },
      ...config,
    };
    writeFileSync(join(home, "config.yaml"), JSON.stringify(whole));
    const memory = createMemory();
    const open = () =>
      createDeputy({
        env: { HOME: home, DEPUTY_STATE_DIR: join(home, "state"), LAB_API_KEY: "sk-lab-0123456789abcdef" },
        cwd: join(home, "work"),
        configPath: join(home, "config.yaml"),
        journal: createMemoryJournal({ memory }),
      });
    await work({
      work: join(home, "work"),
      write: (path, content) => writeFileSync(join(home, "work", path), content),
      async run(files, more = {}) {
        const library = open();
        try {
          const [result] = (await library.delegate({ tasks: [{ goal: "Read.", files, ...more }, { goal: "Other." }] }))
            .results;
          assert.ok(result);
          return result;
        } finally {
          await library.close();
        }
      },
      open,
      memory,
      asked: () => server.requests.map(({ messages }) => messages[0]?.text ?? ""),
    });
    assert.deepEqual(server.scriptErrors, []);
  } finally {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const DONE: Script = () => ({ text: "done" });

describe("the files of a task", () => {
  test("are given to its child before the task, whatever they contain, and to no sibling", () =>
    inLab(DONE, async ({ write, run, asked }) => {
      write("a.md", "First\n```\nfence\n```\n");
      write("inner/b.txt", Buffer.from("\ufeffZweite", "utf16le"));
      write("../extra/c.txt", "Third");
      const { status } = await run(["a.md", "inner/b.txt", "../extra/c.txt", "a.md"]);
      assert.equal(status, "completed");
      const [with_, without] = asked().toSorted((one, other) => other.length - one.length);
      assert.equal(
        with_,
        "File a.md:\n````\nFirst\n```\nfence\n```\n````\n\nFile inner/b.txt:\n```\nZweite\n```\n\n" +
          "File ../extra/c.txt:\n```\nThird\n```\n\nFiles given above, in order: a.md, inner/b.txt, ../extra/c.txt\n\nRead.",
      );
      assert.equal(without, "Other.");
    }));

  test("that cannot be given are reported before anything is spent, and do not affect the other tasks", () =>
    inLab(DONE, async ({ write, work, run }) => {
      write("../away/secret.txt", "away");
      symlinkSync("../away/secret.txt", join(work, "link.txt"));
      write(".env", "KEY=1");
      write("image.png", Buffer.from([0x89, 0x50, 0, 1, 2, 0]));
      write("latin.txt", Buffer.from("Gr\xfc\xdfe", "latin1"));
      write("big.txt", "x".repeat(1024 * 1024 + 1));
      for (const name of ["half-1.txt", "half-2.txt"]) write(name, "x".repeat(600 * 1024));
      const cases: [files: string[], words: RegExp][] = [
        [["none.txt"], /none\.txt does not exist/],
        [["inner"], /found a directory/],
        [["../away/secret.txt"], /leads out of the workspace/],
        [["link.txt"], /leads out of the workspace/],
        [[".env"], /\.env: expected a file that may be read; found that /],
        [["image.png"], /image\.png: expected text; found a binary file/],
        [["latin.txt"], /expected text in UTF-8 or UTF-16; found what is probably Windows-1252/],
        [["big.txt"], /expected at most 1048576 bytes in all files together; found 1048577/],
        [["half-1.txt", "half-2.txt"], /2 files: expected at most 1048576 bytes together; found 1228800/],
      ];
      for (const [files, words] of cases) {
        const { exit_reason: reason, error } = await run(files);
        assert.equal(reason, "file-unusable", `${files}: ${error?.message}`);
        assert.match(error?.message ?? "", words);
      }
    }));

  test("count toward the context window", () =>
    inLab(DONE, async ({ write, run }) => {
      write("long.txt", "word ".repeat(20_000));
      const { exit_reason: reason, error } = await run(["long.txt"], { model: "one", toolsets: [] });
      assert.equal(reason, "context-too-large");
      assert.match(error?.message ?? "", /found about 25,0\d\d\. Name fewer files/);
    }));

  test("that rules protect are refused, and one that a rule allows is given", async () => {
    const permissions = [
      { tool: "read_file", match: "closed.txt", then: "deny" },
      { tool: "read_file", match: ".env", then: "allow" },
    ];
    await inLab(
      DONE,
      async ({ write, run }) => {
        write("closed.txt", "closed");
        write(".env", "MODE=test");
        assert.match((await run(["closed.txt"])).error?.message ?? "", /closed\.txt: expected a file that may be read/);
        assert.equal((await run([".env"])).status, "completed");
      },
      { permissions },
    );
  });

  test("reach the model without known keys, and the journal too, which has their text once", () => {
    return inLab(DONE, async ({ write, run, asked, memory }) => {
      write("notes.txt", "The key is sk-lab-0123456789abcdef. Marzipan.");
      assert.equal((await run(["notes.txt"])).status, "completed");
      assert.ok(asked().some((text) => text.includes("Marzipan")));
      assert.ok(!asked().some((text) => text.includes("sk-lab-0123456789abcdef")));
      const stored = JSON.stringify(
        await Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event),
      );
      assert.ok(!stored.includes("sk-lab-0123456789abcdef"));
      assert.equal(stored.split("Marzipan").length - 1, 1);
      assert.match(stored, /"files":\[\{"name":"notes\.txt","bytes":\d+,"sha256":"[0-9a-f]{64}"/);
    });
  });

  describe("after an interruption", () => {
    let isHeld = false;
    const works: Script = ({ messages }) => {
      if (messages.every(({ role }) => role !== "tool"))
        return { toolCalls: [{ name: "list_dir", input: { path: "." } }] };
      return isHeld ? { text: "late", fault: { kind: "silence" } } : { text: "done" };
    };

    /** Stops the run in its second step, then resumes it in another process. */
    async function resumed(lab: Lab, meanwhile: () => void): Promise<Result> {
      isHeld = true;
      lab.write("a.md", "First");
      const first = lab.open();
      const delegation = await first.start({ tasks: [{ goal: "Read.", files: ["a.md"] }] });
      for await (const event of delegation.events) if (event.kind === "tool-end") await delegation.stop("test");
      await delegation.result;
      await first.close();
      isHeld = false;
      meanwhile();
      const second = lab.open();
      try {
        const [result] = (await (await second.resume(delegation.id)).result).results;
        assert.ok(result);
        return result;
      } finally {
        await second.close();
      }
    }

    test("the child gets the same text again", () =>
      inLab(works, async (lab) => {
        assert.equal((await resumed(lab, () => {})).status, "completed");
        assert.equal(new Set(lab.asked()).size, 1);
        assert.match(lab.asked()[0] ?? "", /^File a\.md:\n```\nFirst\n```\n/);
      }));

    for (const [what, change] of [
      ["changed", (lab: Lab) => lab.write("a.md", "Other")],
      ["gone", (lab: Lab) => rmSync(join(lab.work, "a.md"))],
      [
        "out of the workspace",
        (lab: Lab) => {
          rmSync(join(lab.work, "a.md"));
          lab.write("../away/a.md", "First");
          symlinkSync("../away/a.md", join(lab.work, "a.md"));
        },
      ],
    ] as const)
      test(`a file that is ${what} keeps the child from continuing, and says which`, () =>
        inLab(works, async (lab) => {
          await assert.rejects(
            resumed(lab, () => change(lab)),
            /The file a\.md (changed after|can no longer be read)/,
          );
        }));
  });
});

describe("a model that delegates", () => {
  const delegates: Script = ({ messages, tools }) => {
    if (!tools.some(({ name }) => name === "delegate_task")) return { text: "read" };
    if (messages.some(({ role }) => role === "tool")) return { text: JSON.stringify(messages.at(-1)) };
    return { toolCalls: [{ name: "delegate_task", input: { goal: "Read.", files: ["a.md"] } }] };
  };
  const nested = (toolsets: string[]) =>
    new Promise<{ summary: string; asked: string[] }>((resolve, reject) => {
      inLab(
        delegates,
        async ({ write, run, asked }) => {
          write("a.md", "Marzipan");
          const { summary, error } = await run([], { files: undefined, role: "orchestrator", toolsets });
          assert.equal(error, null);
          resolve({ summary, asked: asked() });
        },
        { delegation: { max_spawn_depth: 2 } },
      ).catch(reject);
    });

  test("gives its children files that it could read itself", async () => {
    const { asked } = await nested(["file"]);
    assert.ok(asked.some((text) => text.includes("Marzipan")));
  });

  test("gives them none if it has no tool that reads files", async () => {
    const { summary, asked } = await nested(["terminal"]);
    assert.match(summary, /Expected no files, because the children of this caller have no tool that reads files/);
    assert.ok(!asked.some((text) => text.includes("Marzipan")));
  });
});
