/** Text and patterns from models and files are read in linear, not quadratic, time. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readCommandLine } from "../src/child/command-line.ts";
import { createFileJudge } from "../src/child/file-rules.ts";
import { decidePermission } from "../src/child/permissions.ts";
import { pageTitle } from "../src/child/wire/failure/error-body.ts";
import { failureOf } from "../src/child/wire/failure/failure.ts";
import { completeLine } from "../src/cli/chat/completion.ts";
import { configSchema } from "../src/config-schema.ts";
import { bytesOfDataUrl } from "../src/image.ts";
import { normalBaseUrl } from "../src/routing/catalog/endpoints.ts";
import { createPolicy } from "../src/routing/resolve/policy.ts";
import { mayNameSecretFile } from "../src/secret-files.ts";
import { spelledLines } from "../src/text/spelled-text.ts";
import { matchesStars } from "../src/text/star-pattern.ts";

/** Quadratic work on this many characters takes minutes. */
const LENGTH = 1_000_000;
const LIMIT_MS = 5_000;

const run = (piece: string) => piece.repeat(LENGTH / piece.length);
const stars = `${"a*".repeat(50)}b`;

function policyOn(pattern: string): (model: string) => boolean {
  const policy = createPolicy(configSchema.parse({ delegation: { allow: [pattern] } }), () => undefined);
  return (model) => policy({ provider: "acme", model }) === undefined;
}

const denyAll = (patterns: string[]) => patterns.map((match) => ({ tool: "*", match, then: "deny" as const }));

function judgePath(patterns: string[]): (name: string) => string {
  const judge = createFileJudge({ rules: denyAll(patterns), otherwise: "ask" }, "grep");
  return (name) => judge({ names: [name], access: "read" }).decision;
}

function decideCommand(patterns: string[]): (command: string) => string {
  const subject = { otherwise: "ask", isCommandLine: true } as const;
  return (target) => decidePermission(denyAll(patterns), "ask", "terminal", { ...subject, target }).decision;
}

const CASES: [name: string, read: () => unknown, expected: unknown][] = [
  ["a rule with many stars", () => matchesStars(stars, run("a")), false],
  ["a path of names", () => judgePath([`*/${stars}/*`, "x/*"])(run("a/")), "allow"],
  ["a path of one name", () => judgePath([stars, "*.pem"])(`${run("a")}.pem~`), "ask"],
  ["a name of stars", () => mayNameSecretFile(`a${run("*")}`), false],
  ["a command of paths", () => decideCommand([`${stars}/x`])(run("a/b ")), "ask"],
  ["a policy with many stars", () => policyOn(`acme/${stars}`)(run("a")), false],
  ["a command with many blanks before its end", () => spelledLines(`${run(" ")}x`)[0]?.length, LENGTH + 1],
  ["a command line of operators", () => readCommandLine(run(";&|")).commands, []],
  ["a command line of quotes", () => readCommandLine(`'${run("a")}`).plain, false],
  ["an image of equals signs", () => bytesOfDataUrl(`data:image/png;base64,${run("=")}x`), undefined],
  ["an address of slashes", () => normalBaseUrl(`https://acme.test/${run("/")}x`)?.length, 19],
  ...['"quotaid":"', "limit: 1, requested: ", "exceeds the prompt ", "insufficient_", "try again in 1s "].map(
    (piece): [string, () => unknown, string] => [
      `an error of ${piece}`,
      () => failureOf({ message: run(piece), code: 400 }, "m @ p", 0, (text) => text).message.slice(0, 5),
      "m @ p",
    ],
  ),
  ["a web page of titles", () => pageTitle(`<html>${run("<title ")}`), ""],
  ["a line that ends in a blank", async () => (await completeLine(`/${run("x")} `, {} as never))[1], ""],
];

describe("text that grows is read in time", () => {
  for (const [name, read, expected] of CASES) {
    test(name, async () => {
      const begunAt = performance.now();
      assert.deepEqual(await read(), expected);
      assert.ok(performance.now() - begunAt < LIMIT_MS);
    });
  }
});

test("the linear readers give the same results", () => {
  assert.deepEqual([policyOn("acme/GLM-*")("glm-4.7"), policyOn("acme/glm")("glm-4.7")], [true, false]);
  assert.deepEqual(spelledLines("ls  \n x"), ["ls··", " x"]);
  assert.equal(bytesOfDataUrl("data:image/png;base64,aGk=")?.toString(), "hi");
  assert.equal(bytesOfDataUrl("data:image/png;base64,aGk")?.toString(), "hi");
});
