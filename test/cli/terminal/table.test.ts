import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { formatTable, type TableColumn } from "../../../src/cli/terminal/table.ts";

const plain = (_style: unknown, text: string) => text;
const rows = [
  ["glm-4.7", "0.6 in, 2.2 out", "tools, images", "/home/alice/.config/deputy/config.yaml:12"],
  ["glm-5.1", "unknown", "tools", "default"],
];
const table = (head: (string | TableColumn)[], columns?: number) => formatTable(head, rows, plain, columns).split("\n");

describe("a table", () => {
  test("is whole without a terminal, and where there is room", () => {
    const whole = table(["MODEL", "PRICE", "TAKES", "FROM"]);
    assert.equal(whole[1], "glm-4.7  0.6 in, 2.2 out  tools, images  /home/alice/.config/deputy/config.yaml:12");
    assert.deepEqual(table(["MODEL", "PRICE", "TAKES", "FROM"], 120), whole);
  });

  test("leaves optional columns out first", () => {
    const head = ["MODEL", "PRICE", { title: "TAKES", isOptional: true } as const, "FROM"];
    assert.equal(table(head, 70)[1], "glm-4.7  0.6 in, 2.2 out  /home/alice/.config/deputy/config.yaml:12");
  });

  test("then shortens cells, at the end that says less", () => {
    const head: (string | TableColumn)[] = ["MODEL", "PRICE", "TAKES", { title: "FROM", least: 12, cut: "start" }];
    assert.equal(table(head, 60)[1], "glm-4.7  0.6 in, 2.2 out  tools, images  …uty/config.yaml:12");
  });

  test("becomes records if it still does not fit, with every value", () => {
    assert.deepEqual(table(["MODEL", "PRICE", "TAKES", "FROM"], 50).slice(0, 5), [
      "glm-4.7",
      "  PRICE  0.6 in, 2.2 out",
      "  TAKES  tools, images",
      "  FROM   /home/alice/.config/deputy/config.yaml:12",
      "glm-5.1",
    ]);
  });

  test("keeps the usual width of a column before an optional one, and shortens it after", () => {
    const head: (string | TableColumn)[] = ["MODEL", { title: "TAKES", isOptional: true }, { title: "FROM", least: 9 }];
    const at = (usual: number, columns: number) =>
      formatTable([...head.slice(0, 2), { title: "FROM", least: 9, usual }], long, plain, columns).split("\n")[1];
    const long = rows.map(([model = "", , takes = "", from = ""]) => [model, takes, from]);
    assert.equal(at(12, 40), "glm-4.7  tools, images  /home/alice/.co…");
    assert.equal(at(30, 40), "glm-4.7  /home/alice/.config/deputy/con…");
    assert.equal(formatTable(head, long, plain, 20).split("\n")[1], "glm-4.7  /home/alic…");
  });

  test("cuts in a record what is wider than a row, and a long text that may be cut", () => {
    const head: (string | TableColumn)[] = ["ID", { title: "GOAL", least: 40 }, { title: "FROM", cut: "start" }];
    const row = [
      "an-id-that-is-wider-than-the-row",
      "word ".repeat(40).trim(),
      "/home/alice/.config/deputy/config.yaml:12",
    ];
    assert.deepEqual(formatTable(head, [row], plain, 24).split("\n"), [
      "an-id-that-is-wider-tha…",
      "  GOAL  word word word",
      "        word word word",
      "        word word word",
      "        wo…",
      "  FROM",
      "    …puty/config.yaml:12",
      "",
    ]);
  });

  test("puts numbers and marks in front of a record, and colors in no column's width", () => {
    const paint = (style: unknown, text: string) => (style === "green" ? `<green>${text}` : text);
    const row = ["1", { text: "✓", style: "green" } as const, "7f3a", "a goal of several words"];
    const head = ["", "", "RUN", "GOAL"];
    assert.equal(
      formatTable(head, [row], paint, 18),
      "1 <green>✓ 7f3a\n  GOAL  a goal of\n        several\n        words\n",
    );
    assert.match(formatTable(head, [row], paint, 80), /\n1 {2}<green>✓ {2}7f3a {2}a goal of several words\n$/);
  });
});
