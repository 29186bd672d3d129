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
});
