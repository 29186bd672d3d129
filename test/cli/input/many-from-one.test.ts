/** `--set` and `--items`: one task file, filled with values and rows that are never read again. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { fillPlaceholders } from "../../../src/text/placeholders.ts";
import { says } from "../../support/child-stage.ts";
import { deputy, temporaryDirectory } from "../../support/command-line.ts";

const DOLLAR = "$";
const home = temporaryDirectory(after);
const ITEM_TASK = "goal: Translate {{item.word}} to {{item.language}}.\n";

/** Runs a task file; returns the plan's goals, or what was sent. */
async function run(task: string, flags: string[], files: Record<string, string | Uint8Array> = {}) {
  for (const [name, text] of Object.entries({ "task.yaml": task, ...files })) writeFileSync(join(home, name), text);
  const sent: string[] = [];
  const { code, stdout, stderr } = await deputy(["run", "task.yaml", ...flags, "--json"], {
    cwd: home,
    script: async ({ messages }) => {
      const [first] = messages;
      sent.push(first?.role === "user" ? first.text : "");
      return says("Done.");
    },
  });
  const document = stdout === "" ? undefined : JSON.parse(stdout);
  return {
    code,
    stderr,
    sent: sent.sort(),
    goals: (document?.results ?? []).map(({ goal }: { goal: string }) => goal),
    warnings: (document?.warnings ?? []).map(({ message }: { message: string }) => message),
  };
}

describe("--set", () => {
  test("fills {{name}} in goals and contexts, and nowhere else", async () => {
    const task =
      "context: On {{branch}}.\ntasks:\n  - goal: Review {{ branch }} of {{repo}}.\n    context: Mind {{repo}}.\n    tags: ['of {{repo}}']\n";
    const { code, stderr, sent, goals } = await run(task, ["--set", "branch=main", "--set", "repo=a=b"]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(goals, ["Review main of a=b."]);
    assert.deepEqual(sent, ["On main.\n\nMind a=b.\n\nReview main of a=b."]);
  });

  test("reads a value never again, whatever it contains", async () => {
    const { goals } = await run("goal: '{{one}} {{two}}'\n", ["--set", "one={{two}}", "--set", "two=$& {{one}}"]);
    assert.deepEqual(goals, ["{{two}} $& {{one}}"]);
  });

  test("leaves other braces as they are", async () => {
    const goal = "Keep {{ other.thing }}, {{}}, {{{x}}}, {% x %}, {HOME} and {a: {b: 1}} for {{name}}.";
    const { goals, warnings } = await run(`goal: '${goal}'\n`, ["--set", "name=Ann"]);
    assert.deepEqual(goals, [goal.replace("{{name}}", "Ann")]);
    assert.deepEqual(warnings, []);
  });

  test("warns of a near miss, and of a name that fills nothing", async () => {
    const goal = `{{brnch}} {branch} ${DOLLAR}{branch}`;
    const { code, goals, warnings } = await run(`goal: '${goal}'\n`, ["--set", "branch=main"]);
    assert.equal(code, 0);
    assert.deepEqual(goals, [goal]);
    assert.deepEqual(warnings, [
      "{{brnch}} is text, not a placeholder. Did you mean {{branch}}?",
      "{branch} is text, not a placeholder. Did you mean {{branch}}?",
      `${DOLLAR}{branch} is text, not a placeholder. Did you mean {{branch}}?`,
      "--set branch has no effect: no goal or context contains {{branch}}.",
    ]);
  });

  test("changes nothing of a file that is run without it", async () => {
    const { goals, warnings } = await run("goal: Explain {{item}} and {{name}}.\n", []);
    assert.deepEqual([goals, warnings], [["Explain {{item}} and {{name}}."], []]);
  });

  test("says that YAML needs quotes around a text that begins with braces", async () => {
    for (const task of ["goal: {{name}}\n", "goal: {{name}} is good\n", "tasks:\n  - {{name}}\n"]) {
      const { code, stderr } = await run(task, ["--set", "name=x"]);
      assert.equal(code, 2);
      assert.match(stderr, /^deputy: task\.yaml:\d:\d+: .* Put a text that begins with \{\{ into quotes\.\n$/);
    }
  });

  test("refuses what is no value, a name given twice, and a goal that becomes blank", async () => {
    const cases: [flags: string[], words: RegExp][] = [
      [["--set", "name"], /--set: expected name=value; found name\./],
      [["--set", "a b=1"], /--set: expected name=value/],
      [["--set", "name=1", "--set", "name=2"], /found name again/],
      [["--set", "name= "], /Expected a goal; found nothing/],
    ];
    for (const [flags, words] of cases) {
      const { code, stderr } = await run("goal: '{{name}}'\n", flags);
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
    }
  });
});

describe("--items", () => {
  test("warns if every row gets the same task", async () => {
    const { goals, warnings } = await run("goal: 'Greet {{word}}.'\n", ["--items", "rows.csv"], {
      "rows.csv": "word\nlion\ndog\n",
    });
    assert.deepEqual(goals, ["Greet {{word}}.", "Greet {{word}}."]);
    assert.match(warnings.join(), /Every row of --items gets the same task: .* A row's field is \{\{item\.name\}\}\./);
  });

  test("runs the one task once per row of a CSV file, with quotes, a byte order mark, CRLF or semicolons", async () => {
    const tables = [
      'word,language\nlion,French\n"big, ""red""",German\n',
      '\ufeffword,language\r\nlion,French\r\n"big, ""red""",German\r\n',
      'word;language\nlion;French\n"big, ""red""";German',
    ];
    for (const table of tables) {
      const { code, goals } = await run(ITEM_TASK, ["--items", "rows.csv"], { "rows.csv": table });
      assert.equal(code, 0);
      assert.deepEqual(goals, ["Translate lion to French.", 'Translate big, "red" to German.']);
    }
  });

  test("runs it once per line of JSON, of any shape", async () => {
    const task = "goal: '{{index}}: {{item}}'\n";
    const rows = '"plain"\n\n{"a": 1}\n42\n';
    const { goals } = await run(task, ["--items", "rows.jsonl"], { "rows.jsonl": rows });
    assert.deepEqual(goals, ["1: plain", '2: {"a":1}', "3: 42"]);
    const deep = await run("goal: '{{item.a.b}} {{item.list.1}} {{item.none}}'\n", ["--items", "rows.jsonl"], {
      "rows.jsonl": '{"a": {"b": true}, "list": ["x", "y"], "none": null}\n',
    });
    assert.deepEqual(deep.goals, ["true y "]);
  });

  test("fills the context of the row too, next to --set, and reads no row again", async () => {
    const task =
      "context: About {{item.word}}, {{tone}}.\ntasks:\n  - goal: Write on {{item.word}}.\n    context: '{{index}}'\n";
    const rows = { "rows.jsonl": '{"word": "{{tone}} {{index}}"}\n' };
    const { sent } = await run(task, ["--items", "rows.jsonl", "--set", "tone=dry"], rows);
    assert.deepEqual(sent, ["About {{tone}} {{index}}, dry.\n\n1\n\nWrite on {{tone}} {{index}}."]);
  });

  test("names the row of every error, before anything starts", async () => {
    const cases: [name: string, text: string, words: RegExp][] = [
      ["rows.csv", "word,language\nlion\n", /rows\.csv:2: expected 2 fields, as in line 1; found 1/],
      ["rows.csv", 'word,language\n"lion,French\n', /rows\.csv:2: expected a quote/],
      ["rows.csv", "word,word\na,b\n", /rows\.csv:1: expected a different name for each column; found word twice/],
      ["rows.csv", "word,\na,b\n", /found an empty one/],
      [
        "rows.csv",
        "word,langauge\na,b\n",
        /rows\.csv:2: .*\{\{item\.language\}\}; the row has no language\. Did you mean langauge\?/,
      ],
      ["rows.csv", "word,language\n", /expected at least one row; found none/],
      ["rows.jsonl", '{"word": "a", "language": "b"}\n{"word":\n', /rows\.jsonl:2:\d+: /],
      ["rows.jsonl", '"only text"\n', /rows\.jsonl:1: .* the row has no word/],
      ["rows.txt", "x", /--items: expected a file whose name ends in \.csv or \.jsonl; found rows\.txt/],
    ];
    for (const [name, text, words] of cases) {
      const { code, stderr, sent } = await run(ITEM_TASK, ["--items", name], { [name]: text });
      assert.equal(code, 2, stderr);
      assert.match(stderr, words);
      assert.deepEqual(sent, []);
    }
    const missing = await run(ITEM_TASK, ["--items", "row.csv"]);
    assert.match(missing.stderr, /There is no file row\.csv\. Did you mean rows\.csv\?/);
    const unlike = await run(ITEM_TASK, ["--items", "nothing-like-it.jsonl"]);
    assert.match(unlike.stderr, /There is no file nothing-like-it\.jsonl\. Expected rows: CSV .*, or JSON lines\.\n/);
  });

  test("needs a file with one task, and at most as many rows as a call may have tasks", async () => {
    const rows = { "rows.csv": "word\na\n" };
    const two = await run("- one {{item}}\n- two\n", ["--items", "rows.csv"], rows);
    assert.match(two.stderr, /--items runs the file's one task once per row; found 2 tasks/);
    const many = await run("goal: '{{item.word}}'\n", ["--items", "rows.csv"], {
      "rows.csv": `word\n${"a\n".repeat(1001)}`,
    });
    assert.match(many.stderr, /expected at most 1000 rows; found 1001/);
    const taken = await run("goal: '{{item.word}}'\n", ["--items", "rows.csv", "--set", "item=x"], rows);
    assert.match(taken.stderr, /expected another name than item/);
  });
});

test("placeholders are found in linear time", () => {
  const declared = new Map([["name", () => "x"]]);
  for (const piece of ["{", "{{", "{{name", "{{name}", "}} {{", "${ ", "{{ "]) {
    const begunAt = performance.now();
    fillPlaceholders(piece.repeat(1_000_000 / piece.length), declared);
    assert.ok(performance.now() - begunAt < 5_000, piece);
  }
});
