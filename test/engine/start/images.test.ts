/** Images of tasks: what preflight accepts, what the journal stores of them, and what a resumed child finds. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, test } from "node:test";
import { createDeputy } from "../../../src/engine/deputy.ts";
import type { Result } from "../../../src/result.ts";
import { createMemory, createMemoryJournal, createModelServer, type Script } from "../../../src/testing/index.ts";
import { dataUrl, TINY_GIF, TINY_JPEG, TINY_PNG } from "../../support/tiny-images.ts";

type Lab = {
  work: string;
  /** Writes a file in the workspace. */
  write(path: string, content: Buffer | string): void;
  run(images: string[], model?: string): Promise<Result>;
  open(): ReturnType<typeof createDeputy>;
  memory: ReturnType<typeof createMemory>;
  shown(): number[];
};

/** A workspace, an extra directory and one provider of each relevant kind. */
async function inLab(script: Script, work: (lab: Lab) => Promise<void>): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "deputy-images-"));
  const server = await createModelServer({ script });
  try {
    for (const directory of ["work/inner", "extra", "away"]) mkdirSync(join(home, directory), { recursive: true });
    const config = {
      provider: "lab",
      extra_dirs: [join(home, "extra")],
      providers: {
        lab: {
          base_url: server.baseUrl("chat_completions"),
          default_model: "seeing",
          models: { seeing: { vision: true, tools: true }, blind: { vision: false }, unknown: {} },
        },
        strict: {
          base_url: server.baseUrl("anthropic_messages"),
          api_mode: "anthropic_messages",
          models: { claudia: { vision: true } },
        },
        twin: {
          base_url: server.baseUrl("gemini"),
          api_mode: "gemini",
          models: { "gemini-3-pro": { vision: true }, "gemini-2.0-flash": { vision: true } },
        },
      },
    };
    writeFileSync(join(home, "config.yaml"), JSON.stringify(config));
    const memory = createMemory();
    const open = () =>
      createDeputy({
        env: { HOME: home, DEPUTY_STATE_DIR: join(home, "state") },
        cwd: join(home, "work"),
        configPath: join(home, "config.yaml"),
        journal: createMemoryJournal({ memory }),
      });
    await work({
      work: join(home, "work"),
      write: (path, content) => writeFileSync(join(home, "work", path), content),
      async run(images, model = "seeing") {
        const library = open();
        try {
          const tasks = [{ goal: "Look.", images, model }, { goal: "Other." }];
          const [result] = (await library.delegate({ tasks })).results;
          assert.ok(result);
          return result;
        } finally {
          await library.close();
        }
      },
      open,
      memory,
      shown: () => server.requests.map(({ messages }) => messages[0]?.images?.length ?? 0),
    });
    assert.deepEqual(server.scriptErrors, []);
  } finally {
    await server.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const DONE: Script = () => ({ text: "done" });

describe("preflight of images", () => {
  test("each clear problem is reported before anything is spent, and does not affect the other tasks", () =>
    inLab(DONE, async ({ write, work, run }) => {
      write("notes.png", "only a name");
      write("big.png", Buffer.concat([TINY_PNG, Buffer.alloc(11 * 1024 * 1024)]));
      write("large.png", Buffer.concat([TINY_PNG, Buffer.alloc(4 * 1024 * 1024)]));
      write("moving.gif", TINY_GIF);
      write("../away/secret.png", TINY_PNG);
      symlinkSync("../away/secret.png", join(work, "link.png"));
      const cases: [images: string[], model: string, code: string, words: RegExp][] = [
        [["none.png"], "seeing", "image-unusable", /none\.png does not exist/],
        [["inner"], "seeing", "image-unusable", /found a directory/],
        [["notes.png"], "seeing", "image-unusable", /notes\.png: expected a PNG, JPEG, GIF or WebP by its first bytes/],
        [["../away/secret.png"], "seeing", "image-unusable", /leads out of the workspace/],
        [["link.png"], "seeing", "image-unusable", /leads out of the workspace/],
        [["big.png"], "seeing", "image-unusable", /at most 10 MiB for seeing @ lab; found 11 MiB/],
        [["large.png"], "claudia --provider strict", "image-unusable", /at most 3\.75 MiB/],
        [["moving.gif"], "gemini-3-pro --provider twin", "images-unsupported", /takes png, jpeg, webp; found gif/],
        [["http://a.test/x.png"], "gemini-3-pro --provider twin", "images-unsupported", /fetches https: URLs only/],
        [["https://a.test/x"], "gemini-3-pro --provider twin", "images-unsupported", /needs the type/],
        [["https://a.test/x.png"], "gemini-2.0-flash --provider twin", "images-unsupported", /fetches no URLs/],
        [["ftp://a.test/x.png"], "seeing", "image-unusable", /http\(s\) URL/],
        [["https://me:pass@a.test/x.png"], "seeing", "image-unusable", /without a user name/],
        [["data:image/png;base64,%%%"], "seeing", "image-unusable", /expected data:image/],
        [["data:image/png,plain"], "seeing", "image-unusable", /expected data:image/],
        [[dataUrl(Buffer.from("<svg/>"), "image/svg+xml")], "seeing", "image-unusable", /by its first bytes/],
        [[dataUrl(TINY_PNG)], "blind", "images-unsupported", /blind @ lab, which does not\. These do: seeing,/],
      ];
      for (const [images, model, code, words] of cases) {
        const { exit_reason: reason, error } = await run(images, model);
        assert.equal(reason, code, `${images} on ${model}: ${error?.message}`);
        assert.match(error?.message ?? "", words);
      }
    }));

  test("suggestions name models of this user's that take images", () =>
    inLab(DONE, async ({ run }) => {
      const { error } = await run([dataUrl(TINY_PNG)], "blind");
      assert.ok(error !== null && "suggestions" in error);
      assert.deepEqual(error.suggestions.slice(0, 2), ["seeing", "claudia --provider strict"]);
    }));

  test("a model of which it is not known is tried, with a warning", () =>
    inLab(DONE, async ({ run, shown }) => {
      const { status, warnings } = await run([dataUrl(TINY_PNG)], "unknown");
      assert.deepEqual([status, warnings.map(({ code }) => code)], ["completed", ["vision-unknown"]]);
      assert.deepEqual(shown().sort(), [0, 1]);
    }));

  test("extra directories are reached, as the file tools reach them", () =>
    inLab(DONE, async ({ write, run, shown }) => {
      write("../extra/chart.png", TINY_PNG);
      assert.equal((await run(["../extra/chart.png"])).status, "completed");
      assert.deepEqual(shown().sort(), [0, 1]);
    }));
});

describe("the journal and images", () => {
  test("plans have a reference with its hash; the bytes of each image are stored once, however many tasks show it", () =>
    inLab(DONE, async ({ write, open, memory }) => {
      write("chart.png", TINY_PNG);
      const photo = Buffer.concat([TINY_JPEG, Buffer.from("x".repeat(50_000))]);
      const library = open();
      const images = ["chart.png", dataUrl(photo), dataUrl(photo)];
      const { results } = await library.delegate({
        tasks: [
          { goal: "a", images },
          { goal: "b", images },
        ],
      });
      await library.close();
      assert.deepEqual(
        results.map(({ status }) => status),
        ["completed", "completed"],
      );
      const events = await Array.fromAsync(createMemoryJournal({ memory }).read({}), ({ event }) => event);
      const stored = JSON.stringify(events);
      const base64 = photo.toString("base64");
      assert.equal(stored.split(base64).length - 1, 1);
      assert.equal(stored.split(TINY_PNG.toString("base64")).length - 1, 1);
      assert.equal(events.filter(({ kind }) => kind === "image-add").length, 2);
      assert.ok(stored.length < base64.length + 20_000);
    }));

  let isHeld = false;

  /** Stops the run in its second step, then resumes it in another process. */
  async function resumed(lab: Lab, images: string[], meanwhile: () => void): Promise<Result> {
    isHeld = true;
    const first = lab.open();
    const delegation = await first.start({ tasks: [{ goal: "Look.", images, model: "seeing" }] });
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

  /** The second step is not answered before the first process has ended. */
  const works: Script = ({ messages }) => {
    if (messages.every(({ role }) => role !== "tool"))
      return { toolCalls: [{ name: "list_dir", input: { path: "." } }] };
    return isHeld ? { text: "late", fault: { kind: "silence" } } : { text: "done" };
  };

  test("a resumed child sees the same images again", () =>
    inLab(works, async (lab) => {
      lab.write("chart.png", TINY_PNG);
      const { status } = await resumed(lab, ["chart.png", dataUrl(TINY_JPEG)], () => {});
      assert.equal(status, "completed");
      assert.ok(lab.shown().length >= 2);
      assert.ok(lab.shown().every((count) => count === 2));
    }));

  test("one that changes while its task waits in the queue fails as input-changed; its sibling is not touched", () => {
    let change = () => {};
    const script: Script = () => {
      change();
      return { text: "done" };
    };
    return inLab(script, async (lab) => {
      lab.write("first.png", TINY_PNG);
      lab.write("second.png", TINY_PNG);
      change = () => lab.write("second.png", TINY_GIF);
      const deputy = lab.open();
      const tasks = ["first.png", "second.png"].map((image) => ({ goal: `Look at ${image}.`, images: [image] }));
      const { results } = await deputy.delegate(tasks, { workspace: lab.work, concurrency: 1 });
      assert.deepEqual(
        results.map(({ status, exit_reason }) => [status, exit_reason]),
        [
          ["completed", "answered"],
          ["failed", "input-changed"],
        ],
      );
      await deputy.close();
    });
  });

  const refused = (lab: Lab, meanwhile: () => void, message: RegExp) =>
    assert.rejects(resumed(lab, ["chart.png"], meanwhile), { code: "nothing-to-run", message });

  test("it stays interrupted with the reason if a file is changed or missing, and continues with that file restored", () =>
    inLab(works, async (lab) => {
      lab.write("chart.png", TINY_PNG);
      const change = () => lab.write("chart.png", TINY_GIF);
      await refused(lab, change, /chart\.png changed after the task was planned/);
      lab.write("chart.png", TINY_PNG);
      const remove = () => rmSync(join(lab.work, "chart.png"));
      await refused(lab, remove, /chart\.png can no longer be read: .*does not exist/);
      lab.write("chart.png", TINY_PNG);
      const again = lab.open();
      const [run] = await again.runs();
      const { results } = await (await again.resume(run?.run.delegationId ?? "")).result;
      assert.equal(results[0]?.status, "completed");
      await again.close();
    }));
});
