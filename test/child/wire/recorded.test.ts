/** Each vendor's recorded responses, sent over HTTP and read by the production code. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type { Reply } from "../../../src/child/wire/reply/reply.ts";
import type { ApiMode } from "../../../src/route.ts";
import type { Fault } from "../../../src/testing/index.ts";
import { tool } from "../../support/child-stage.ts";
import { createWireStage, MODEL_OF, type WireStage, wireRoute } from "../../support/wire-stage.ts";
import { EXPECTED, type Folder, type Read } from "./recorded/expected.ts";

/** Fields that are read wrong today. Fixing one fails its test until the field is removed from this list. */
const KNOWN_WRONG: Record<string, readonly string[]> = {};

const FOLDER = join(import.meta.dirname, "recorded");
const FOLDERS = Object.keys(EXPECTED) as Folder[];

const MODES: Record<Exclude<Folder, "failures">, ApiMode> = {
  chat: "chat_completions",
  local: "chat_completions",
  responses: "responses",
  messages: "anthropic_messages",
  gemini: "gemini",
};

/** The API mode of a recorded response; failures name their vendor. */
function modeOf(folder: Folder, name: string): ApiMode {
  if (folder !== "failures") return MODES[folder];
  if (name.startsWith("anthropic-")) return "anthropic_messages";
  return name.startsWith("google-") ? "gemini" : "chat_completions";
}

/** A file is a comment, a status line, headers, and after an empty line the body. */
function recordedResponse(folder: Folder, name: string): Fault {
  const file = readFileSync(join(FOLDER, folder, `${name}.http`), "utf8");
  const end = file.indexOf("\n\n");
  const [statusLine = "", ...fields] = file
    .slice(0, end)
    .split("\n")
    .filter((line) => !line.startsWith("#"));
  const headers = Object.fromEntries(fields.map((field) => field.split(": ", 2)));
  // A file ends with one line break, the last event of a stream with two.
  return { kind: "response", status: Number(statusLine.split(" ")[1]), headers, body: `${file.slice(end + 2)}\n` };
}

/** A reply in the format of the expectations. */
function readAs(expected: Read, reply: Reply): Read {
  if (!reply.ok) {
    const { kind, message, retryAfterMs } = reply.failure;
    const quotes = "quotes" in expected && message.includes(expected.quotes) ? expected.quotes : message;
    return { failure: kind, quotes, retryAfterMs };
  }
  const textsOf = (type: "text" | "reasoning") =>
    reply.parts.flatMap((part) => (part.type === type && part.text !== "" ? [part.text] : []));
  const kept = JSON.stringify(reply.parts.map((part) => part.private));
  return {
    finish: reply.finish,
    texts: textsOf("text"),
    reasoning: textsOf("reasoning").join(""),
    calls: reply.parts.flatMap((part) => (part.type === "tool-call" ? [{ name: part.name, input: part.input }] : [])),
    usage: reply.usage,
    served: reply.servedModel,
    kept: "kept" in expected ? expected.kept.filter((state) => kept.includes(state)) : [],
  };
}

/** The fields that differ; only `failure` if just one of them is an answer. */
function differences(read: Read, expected: Read): string[] {
  if ("failure" in read !== "failure" in expected) return ["failure"];
  const left: Record<string, unknown> = read;
  const right: Record<string, unknown> = expected;
  const fields = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...fields].filter((field) => !isDeepStrictEqual(left[field], right[field])).sort();
}

for (const folder of FOLDERS) {
  describe(`a recorded response in ${folder}/`, () => {
    let stage: WireStage;
    let fault: Fault;
    before(async () => {
      stage = await createWireStage(() => ({ fault }));
    });
    after(() => stage.close());

    for (const [name, expected] of Object.entries<Read>(EXPECTED[folder])) {
      const wrong = KNOWN_WRONG[`${folder}/${name}`];
      test(`${name} is read ${wrong === undefined ? "right" : `wrong, as is known: ${wrong.join(", ")}`}`, async () => {
        fault = recordedResponse(folder, name);
        const mode = modeOf(folder, name);
        const model = ("served" in expected && expected.served) || MODEL_OF[mode];
        const route = wireRoute(stage.server.baseUrl(mode), mode, { model });
        const { reply } = await stage.ask(mode, { route, tools: [tool("look", "read", (word) => word)] });
        const read = readAs(expected, reply);
        if (wrong === undefined) assert.deepEqual(read, expected);
        else assert.deepEqual(differences(read, expected), wrong, `KNOWN_WRONG["${folder}/${name}"] is out of date`);
      });
    }
  });
}

test("every recorded response is read, and names its source", () => {
  const files = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".http"));
  const expected = FOLDERS.flatMap((folder) => Object.keys(EXPECTED[folder]).map((name) => `${folder}/${name}.http`));
  assert.deepEqual(files.sort(), expected.sort());
  for (const file of files)
    assert.match(readFileSync(join(FOLDER, file), "utf8"), /^# .+\n# Source of the shape: .+\.\n/);
  assert.deepEqual(
    Object.keys(KNOWN_WRONG).filter((name) => !expected.includes(`${name}.http`)),
    [],
  );
});
