/** Tool calls from pieces, however a server splits and labels them. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { createCallAssembly, listOfCalls } from "../../../../src/child/wire/chat/tool-call-assembly.ts";

const TOOLS = ["look", "look_up", "read", "read_file"];

type Fields = Record<string, unknown>;
type Call = { name: string; input: unknown };

/** The calls of chunks, each a list of pieces. */
function callsOf(chunks: readonly unknown[]): Call[] {
  const assembly = createCallAssembly(TOOLS);
  for (const chunk of chunks) assembly.add(listOfCalls(chunk));
  return assembly.calls().map(({ name, argumentsText }) => ({ name, input: parsed(argumentsText) }));
}

function parsed(text: string): unknown {
  try {
    return text === "" ? {} : JSON.parse(text);
  } catch {
    return text;
  }
}

const A = { name: "look", input: { word: "Rhine" } };
const B = { name: "look", input: { word: "Elbe" } };
const RHINE = JSON.stringify(A.input);
const ELBE = JSON.stringify(B.input);

/** A piece: its labels, and its part of the function. */
const piece = (labels: Fields, name?: string | null, text?: unknown): Fields => ({
  ...labels,
  type: "function",
  function: { ...(name !== undefined && { name }), ...(text !== undefined && { arguments: text }) },
});

const REPORTED: [what: string, chunks: unknown[], calls: Call[]][] = [
  [
    "calls that all have index 0, each with its own id (ollama/ollama#15457)",
    [[piece({ index: 0, id: "a" }, "look", RHINE)], [piece({ index: 0, id: "b" }, "look", ELBE)]],
    [A, B],
  ],
  [
    "calls that all have index 0 and no id (unslothai/unsloth#10059)",
    [[piece({ index: 0 }, "look", RHINE)], [piece({ index: 0 }, "look", ELBE)], [piece({ index: 0 }, "look", RHINE)]],
    [A, B, A],
  ],
  [
    "pieces without an index (vercel/ai#5885)",
    [[piece({ id: "a" }, "look", "")], [piece({}, undefined, '{"word":')], [piece({}, undefined, '"Rhine"}')]],
    [A],
  ],
  [
    "another id in every piece but the first (poolsideai/pool#9)",
    [
      [piece({ index: 0, id: "a" }, "look", "")],
      [piece({ index: 0, id: "x" }, undefined, '{"word":')],
      [piece({ index: 0, id: "x" }, undefined, '"Rhine"}')],
    ],
    [A],
  ],
  [
    "empty ids and names after the first piece (anomalyco/opencode#37841)",
    [[piece({ id: "a" }, "look", "{")], [piece({ id: "" }, "", '"word":"Rhi')], [piece({ id: "" }, "", 'ne"}')]],
    [A],
  ],
  [
    "an empty name before the real one (vercel/ai#16507)",
    [[piece({ index: 0, id: "a" }, "", "")], [piece({ index: 0 }, "look", RHINE)]],
    [A],
  ],
  [
    "the same id with every piece (JetBrains/koog#2052)",
    [[piece({ id: "a" }, "look", '{"word":')], [piece({ id: "a" }, undefined, '"Rhine"}')]],
    [A],
  ],
  [
    "several pieces of one call in one list (openai/openai-python#3508)",
    [[piece({ index: 0, id: "a" }, "look", ""), piece({ index: 0 }, undefined, RHINE)]],
    [A],
  ],
  [
    "all arguments so far with every piece (NousResearch/hermes-agent#35718)",
    [
      [piece({ index: 0, id: "a" }, "look", '{"wo')],
      [piece({ index: 0 }, undefined, '{"word":"Rh')],
      [piece({ index: 0 }, undefined, RHINE)],
      [piece({ index: 0 }, undefined, RHINE)],
    ],
    [A],
  ],
  [
    "all arguments once more at the end (lidge-jun/opencodex#361)",
    [
      [piece({ index: 0, id: "a" }, "look", "")],
      [piece({ index: 0 }, undefined, '{"word":')],
      [piece({ index: 0 }, undefined, '"Rhine"}')],
      [piece({ index: 0 }, undefined, RHINE)],
    ],
    [A],
  ],
  [
    "an empty object before the arguments (openai/openai-agents-js#712)",
    [
      [piece({ index: 0, id: "a" }, "look", "{}")],
      [piece({ index: 0 }, undefined, '{"word":')],
      [piece({ index: 0 }, undefined, '"Rhine"}')],
    ],
    [A],
  ],
  [
    "arguments as an object (ggml-org/llama.cpp#20198)",
    [[piece({ index: 0, id: "0" }, "look", A.input), piece({ index: 1, id: "1" }, "look", B.input)]],
    [A, B],
  ],
  [
    "arguments as an object after the first piece",
    [[piece({ index: 0, id: "a" }, "look", "")], [piece({ index: 0 }, undefined, A.input)]],
    [A],
  ],
  [
    "arguments as objects that grow",
    [
      [piece({ index: 0, id: "a" }, "look", {})],
      [piece({ index: 0 }, undefined, { word: "Rh" })],
      [piece({ index: 0 }, undefined, { word: "Rhine" })],
      [piece({ index: 0 }, undefined, { word: "Rhine", deep: true })],
    ],
    [{ name: "look", input: { word: "Rhine", deep: true } }],
  ],
  [
    "arguments as objects that each tell a part",
    [[piece({ index: 0, id: "a" }, "look", { word: "Rhine" })], [piece({ index: 0 }, undefined, { deep: true })]],
    [{ name: "look", input: { word: "Rhine", deep: true } }],
  ],
  [
    "arguments as objects that contradict each other, which stay what was sent",
    [[piece({ index: 0, id: "a" }, "look", A.input)], [piece({ index: 0 }, undefined, B.input)]],
    [{ name: "look", input: RHINE + ELBE }],
  ],
  [
    "an index that is a text now and then",
    [
      [piece({ index: "0", id: "a" }, "look", ""), piece({ index: "1", id: "b" }, "look", "")],
      [piece({ index: 1 }, undefined, ELBE), piece({ index: 0 }, undefined, RHINE)],
    ],
    [A, B],
  ],
  ["one call in place of a list", [piece({ id: "a" }, "look", RHINE)], [A]],
  [
    "one call in place of a list, in pieces",
    [piece({ id: "a" }, "look", '{"word":'), piece({}, undefined, '"Rhine"}')],
    [A],
  ],
  ["calls by their index", [{ 0: piece({ id: "a" }, "look", RHINE), 1: piece({ id: "b" }, "look", ELBE) }], [A, B]],
  [
    "calls by their index, in pieces",
    [
      { 0: piece({ id: "a" }, "look", '{"word":'), 1: piece({ id: "b" }, "look", '{"word":') },
      { 1: piece({}, undefined, '"Elbe"}') },
      { 0: piece({}, undefined, '"Rhine"}') },
    ],
    [A, B],
  ],
  [
    "no function: name and arguments beside the labels",
    [
      [
        { id: "a", name: "look", arguments: A.input },
        { id: "b", name: "look", arguments: ELBE },
      ],
    ],
    [A, B],
  ],
  [
    "no function, in pieces",
    [[{ index: 0, id: "a", name: "look", arguments: '{"word":' }], [{ index: 0, arguments: '"Rhine"}' }]],
    [A],
  ],
  ["no function, and other words for the arguments", [[{ id: "a", name: "look", input: A.input }]], [A]],
  ["a function that is the name alone", [[{ id: "a", function: "look", arguments: A.input }]], [A]],
  ["the name beside the function", [[{ id: "a", name: "look", function: { arguments: RHINE } }]], [A]],
  ["parameters in place of arguments", [[{ id: "a", function: { name: "look", parameters: A.input } }]], [A]],
  ["an empty list for no arguments", [[piece({ id: "a" }, "look", [])]], [{ name: "look", input: {} }]],
  [
    "an id after the name, without an index",
    [
      [piece({}, "look")],
      [{ id: "a" }],
      [piece({}, undefined, RHINE)],
      [piece({}, "look")],
      [{ id: "b" }],
      [piece({}, undefined, ELBE)],
    ],
    [A, B],
  ],
  [
    "ids after the names of parallel calls",
    [
      [piece({ index: 0 }, "look"), piece({ index: 1 }, "look")],
      [
        { index: 1, id: "b" },
        { index: 0, id: "a" },
      ],
      [piece({ index: 1 }, undefined, ELBE), piece({ index: 0 }, undefined, RHINE)],
    ],
    [A, B],
  ],
  [
    "ids after everything else",
    [
      [piece({ index: 0 }, "look", RHINE), piece({ index: 1 }, "look", ELBE)],
      [{ index: 0, id: "a" }],
      [{ index: 1, id: "b" }],
    ],
    [A, B],
  ],
  [
    "no arguments: empty, null or absent (Kilo-Org/cloud#4753)",
    [
      [piece({ index: 0, id: "a" }, "look", "")],
      [piece({ index: 1, id: "b" }, "look", null)],
      [piece({ index: 2, id: "c" }, "look")],
    ],
    [
      { name: "look", input: {} },
      { name: "look", input: {} },
      { name: "look", input: {} },
    ],
  ],
  [
    "arguments under another index than their call",
    [[piece({ index: 0, id: "a" }, "look", "")], [piece({ index: 1 }, undefined, RHINE)]],
    [A],
  ],
  [
    "one id for two calls",
    [[piece({ index: 0, id: "a" }, "look", RHINE)], [piece({ index: 1, id: "a" }, "look", ELBE)]],
    [A, B],
  ],
  [
    "a list of calls without any label",
    [
      [piece({}, "look", ""), piece({}, "look", "")],
      [piece({}, undefined, RHINE), piece({}, undefined, ELBE)],
    ],
    [A, B],
  ],
];

describe("calls are separated and assembled if a server sends", () => {
  for (const [what, chunks, calls] of REPORTED)
    test(what, () => {
      assert.deepEqual(callsOf(chunks), calls);
    });
});

describe("two calls with the same arguments stay two", () => {
  const twice = (first: Fields, second: Fields) => [[piece(first, "look", RHINE)], [piece(second, "look", RHINE)]];
  const LABELS: [string, Fields, Fields][] = [
    ["ids", { id: "a" }, { id: "b" }],
    ["ids under one index", { index: 0, id: "a" }, { index: 0, id: "b" }],
    ["indexes", { index: 0 }, { index: 1 }],
    ["indexes under one id", { index: 0, id: "a" }, { index: 1, id: "a" }],
    ["one index and no id", { index: 0 }, { index: 0 }],
    ["no label", {}, {}],
  ];
  for (const [what, first, second] of LABELS)
    test(`with ${what}`, () => {
      assert.deepEqual(callsOf(twice(first, second)), [A, A]);
      assert.deepEqual(callsOf([twice(first, second).flat()]), [A, A], "in one list");
    });

  test("but not where one call is only sent again under its own id and index", () => {
    assert.deepEqual(callsOf(twice({ index: 0, id: "a" }, { index: 0, id: "a" })), [A]);
  });
});

test("arguments that hold what looks like a start of themselves are no repetition", () => {
  const pieces = ['{"a":', '{"a":1}}'];
  const chunks = pieces.map((text, at) => [piece({ index: 0 }, at === 0 ? "look" : undefined, text)]);
  assert.deepEqual(callsOf(chunks), [{ name: "look", input: { a: { a: 1 } } }]);
});

test("arguments that were cut off stay as they are, and a call without a name is one without a name", () => {
  assert.deepEqual(callsOf([[piece({ index: 0 }, "look", '{"word":"Rh')]]), [{ name: "look", input: '{"word":"Rh' }]);
  assert.deepEqual(callsOf([[piece({ index: 0, id: "" }, "", RHINE)]]), [{ ...A, name: "" }]);
});

test("an invalid or empty piece is not a call", () => {
  assert.deepEqual(callsOf([[null, "x", 7, {}], [{ index: 0 }], [piece({ index: 0, id: "" }, "", "")]]), []);
  assert.deepEqual(callsOf([[piece({ index: 0, id: "a" }, null, null)]]), []);
});

/** A server's way of labeling pieces: `call` counts calls, `at` the pieces of a call, `sent` all pieces so far. */
type Scheme = {
  labels(call: number, at: number, sent: number): Fields;
  /** Pieces of several calls may be interleaved, because every piece identifies its call. */
  sideBySide: boolean;
  /** Pieces of one call are sent in separate lists: pieces without labels in one list belong to several calls. */
  alone?: boolean;
  /** Every piece has the labels of its call, and may repeat the name. */
  steady?: boolean;
};

const nothing = fc.constantFrom<Fields>({}, { id: "" }, { id: null });

const SCHEMES: Record<string, Scheme> = {
  "index, id first": {
    labels: (i, at) => ({ index: i, ...(at === 0 && { id: `c${i}` }) }),
    sideBySide: true,
    steady: true,
  },
  "index alone": { labels: (i) => ({ index: i }), sideBySide: true, steady: true },
  "index from one": { labels: (i) => ({ index: i + 1, id: `c${i}` }), sideBySide: true, steady: true },
  "id alone": { labels: (i) => ({ id: `c${i}` }), sideBySide: true, steady: true },
  "index 0, id with every piece": { labels: (i) => ({ index: 0, id: `c${i}` }), sideBySide: true, steady: true },
  "index 0, id first": {
    labels: (i, at) => ({ index: 0, ...(at === 0 && { id: `c${i}` }) }),
    sideBySide: false,
  },
  "index 0 alone": { labels: () => ({ index: 0 }), sideBySide: false },
  "id first": { labels: (i, at) => (at === 0 ? { id: `c${i}` } : {}), sideBySide: false, alone: true },
  "no label": { labels: () => ({}), sideBySide: false, alone: true },
  "changing index, id with every piece": {
    labels: (i, _, sent) => ({ index: sent, id: `c${i}` }),
    sideBySide: true,
    steady: true,
  },
  "changing index, id first": {
    labels: (i, at, sent) => ({ index: sent, ...(at === 0 && { id: `c${i}` }) }),
    sideBySide: false,
  },
  "index, another id with every piece": {
    labels: (i, _, sent) => ({ index: i, id: `c${sent}` }),
    sideBySide: true,
  },
  "index, one id for all": { labels: (i) => ({ index: i, id: "same" }), sideBySide: false },
};

type Style = "parts" | "so far" | "again at the end" | "after {}" | "object";

/** The arguments in pieces. */
function argumentPieces(text: string, cuts: readonly number[], style: Style): unknown[] {
  const at = [...new Set(cuts.map((cut) => cut % text.length))].filter((cut) => cut > 0).sort((a, b) => a - b);
  const bounds = [0, ...at, text.length];
  const parts = bounds.slice(1).map((end, index) => text.slice(bounds[index], end));
  if (style === "so far") return parts.map((_, index) => parts.slice(0, index + 1).join(""));
  if (style === "again at the end") return [...parts, text];
  if (style === "after {}") return ["{}", ...parts];
  return style === "object" ? [JSON.parse(text)] : parts;
}

const input = fc.dictionary(fc.string({ maxLength: 6 }), fc.jsonValue({ maxDepth: 2 }), { minKeys: 1, maxKeys: 3 });
const call = fc.record({
  name: fc.constantFrom(...TOOLS),
  input: input.map((value) => JSON.parse(JSON.stringify(value)) as Fields),
  cuts: fc.array(fc.nat({ max: 60 }), { maxLength: 4 }),
});

const response = fc.record({
  scheme: fc.constantFrom(...Object.keys(SCHEMES)),
  calls: fc.array(call, { minLength: 1, maxLength: 4 }),
  style: fc.constantFrom<Style>("parts", "parts", "so far", "again at the end", "after {}", "object"),
  /** An opening piece with a name and no arguments, as OpenAI sends it. */
  opensEmpty: fc.boolean(),
  splitName: fc.boolean(),
  /** Repeats the name in every piece, if the labels identify the call. */
  namesAll: fc.boolean(),
  filler: nothing,
  order: fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
  perList: fc.integer({ min: 1, max: 3 }),
});

type Response = typeof response extends fc.Arbitrary<infer Value> ? Value : never;

/** The contents of each call's pieces, without labels. */
function spoken({ scheme, calls, style, opensEmpty, splitName, namesAll }: Response) {
  const isNamed = namesAll && (style === "parts" || style === "so far") && SCHEMES[scheme]?.steady;
  return calls.map(({ name, input, cuts }) => {
    const texts = argumentPieces(JSON.stringify(input), cuts, style);
    const names = splitName && opensEmpty ? [name.slice(0, 3), name.slice(3)].filter(Boolean) : [name];
    const opening = opensEmpty ? names.map((part) => ({ name: part, arguments: "" })) : [];
    return [
      ...opening,
      ...texts.map((text, at) => ({
        ...((isNamed || (at === 0 && opening.length === 0)) && { name }),
        arguments: text,
      })),
    ];
  });
}

function chunksOf(sent: Response): Fields[][] {
  const { labels, sideBySide, alone } = SCHEMES[sent.scheme] as Scheme;
  const perList = alone ? 1 : sent.perList;
  const waiting = spoken(sent).map((pieces, call) => ({ call, pieces, at: 0 }));
  const all: Fields[] = [];
  while (waiting.some(({ pieces, at }) => at < pieces.length)) {
    const open = waiting.filter(({ pieces, at }) => at < pieces.length);
    const chosen = sideBySide ? open[(sent.order[all.length % 40] ?? 0) % open.length] : open[0];
    if (chosen === undefined) break;
    const { call, pieces, at } = chosen;
    all.push({ ...(at > 0 && sent.filler), ...labels(call, at, all.length), function: pieces[at] });
    chosen.at += 1;
  }
  return Array.from({ length: Math.ceil(all.length / perList) }, (_, list) =>
    all.slice(list * perList, (list + 1) * perList),
  );
}

test("any sensible way to split and label the pieces of calls gives the same calls", () => {
  fc.assert(
    fc.property(response, (sent) => {
      const heard = callsOf(chunksOf(sent));
      const byText = (calls: Call[]) => calls.map((each) => JSON.stringify(each)).sort();
      assert.deepEqual(byText(heard), byText(sent.calls.map(({ name, input }) => ({ name, input }))));
      if (!SCHEMES[sent.scheme]?.sideBySide)
        assert.deepEqual(
          heard.map(({ name }) => name),
          sent.calls.map(({ name }) => name),
        );
    }),
    { numRuns: 1_000 },
  );
});
