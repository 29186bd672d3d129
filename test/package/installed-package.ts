/**
 * The package as users get it: packed, installed into an empty directory, run and imported. Separate from the default
 * tests, because npm may need the network for it; `npm run check` and the checks of a clean checkout run it.
 */
import assert from "node:assert/strict";
import { execFile, execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { connect } from "../support/mcp-clients.ts";
import { missingShell, openShell, SHELLS, typeKeys } from "../support/shells.ts";
import { type Place, type Seen, stage } from "../support/whole-stage.ts";

const root = join(import.meta.dirname, "..", "..");
const bin = (folder: string, name: string) => join(folder, "node_modules", ".bin", name);

describe("the installed package", () => {
  const prefix = mkdtempSync(join(tmpdir(), "deputize-"));
  let contents: string[] = [];
  after(() => rmSync(prefix, { recursive: true, force: true }));

  before(() => {
    const [packed] = JSON.parse(run("npm", ["pack", "--json", "--silent", "--pack-destination", prefix], root));
    contents = packed.files.map((file: { path: string }) => file.path);
    writeFileSync(join(prefix, "package.json"), '{ "private": true, "type": "module" }');
    run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", join(prefix, packed.filename)], prefix);
  });

  test("holds what it needs and nothing else", () => {
    const kinds = new Set(contents.map((path) => path.replace(/^dist\/.*(\.d\.ts|\.js)$/, "dist/*$1")));
    for (const path of kinds)
      assert.match(
        path,
        /^(dist\/\*\.(js|d\.ts)|dist\/.*\/price-table\.json|bin\/deputy\.mjs|examples\/.+|package\.json|README\.md|LICENSE)$/,
      );
    for (const path of [
      "bin/deputy.mjs",
      "dist/cli/main.js",
      "dist/index.d.ts",
      "dist/testing/index.js",
      "dist/ai-sdk.d.ts",
      "README.md",
      "LICENSE",
    ]) {
      assert.ok(contents.includes(path), `${path} is missing`);
    }
  });

  test("runs as `deputy` and as `deputize`", () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    assert.match(run(bin(prefix, "deputy"), ["--version"], prefix), new RegExp(`${version}\n$`));
    assert.match(run(bin(prefix, "deputize"), ["--help"], prefix), /Usage/);
  });

  test("checks schemas in a thread of its own", () => {
    writeFileSync(join(prefix, "call.json"), JSON.stringify({ goal: "x", output_schema: { $ref: "#" } }));
    const { stderr } = spawnSync(bin(prefix, "deputy"), ["run", "call.json"], {
      cwd: prefix,
      encoding: "utf8",
      env: { PATH: process.env.PATH, HOME: prefix },
    });
    assert.match(stderr, /output_schema: Expected a JSON Schema; it refers to itself without end/);
  });

  test("is imported as a library, and so is its testing part", () => {
    const script =
      'import * as deputize from "deputize"; import * as testing from "deputize/testing"; ' +
      "console.log(Object.keys(deputize).includes('createDeputy'), Object.keys(testing).length > 0);";
    assert.equal(run(process.execPath, ["--input-type=module", "--eval", script], prefix), "true true\n");
  });

  test("describes every field of a task and of a result where an editor shows it", () => {
    const declarations = (file: string) => readFileSync(join(prefix, "node_modules/deputize/dist", file), "utf8");
    const missing = [
      ...["SharedFields", "Task", "Call"].flatMap((name) => undocumented(declarations("task-fields.d.ts"), name)),
      ...["ResultFacts", "RanOn", "RouteReport", "DelegationResult"].flatMap((name) =>
        undocumented(declarations("result.d.ts"), name),
      ),
    ];
    assert.deepEqual(missing, []);
  });

  test("brings types that a strict project compiles with every declaration checked", () => {
    writeFileSync(
      join(prefix, "use.ts"),
      `import { createDeputy, type Result } from "deputize";
       import * as testing from "deputize/testing";
       // @ts-expect-error: a number is no options object; were the types missing, this would be an \`any\` and pass
       createDeputy(42);
       // @ts-expect-error: likewise
       testing.noSuchName;
       export function whatHappened(result: Result): string {
         if (result.status === "rejected") return result.error.code;
         // @ts-expect-error: an answer has no error
         if (result.status === "completed") return result.error.message;
         return result.status === "failed" ? result.error.kind : result.route.endpoint;
       }
      `,
    );
    const compilerOptions = {
      module: "nodenext",
      target: "es2024",
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      noEmit: true,
      typeRoots: [join(root, "node_modules", "@types")],
    };
    writeFileSync(join(prefix, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["use.ts"] }));
    const { stdout } = spawnSync(bin(root, "tsc"), ["-p", "."], { cwd: prefix, encoding: "utf8" });
    assert.equal(stdout, "");
  });
});

describe("the package installed for the whole system with npm install -g", () => {
  const prefix = mkdtempSync(join(tmpdir(), "deputize-global-"));
  const program = join(prefix, "bin", "deputy");
  after(() => rmSync(prefix, { recursive: true, force: true }));

  before(() => {
    const [packed] = JSON.parse(run("npm", ["pack", "--json", "--silent", "--pack-destination", prefix], root));
    const quiet = ["--prefer-offline", "--no-audit", "--no-fund"];
    run("npm", ["install", "--global", "--prefix", prefix, ...quiet, join(prefix, packed.filename)], prefix);
  });

  /** In a home that is empty except for a config with two scripted providers; nothing of the clone is on the PATH. */
  function atHome<Outcome>(perform: (place: Place) => Promise<Outcome>): Promise<Seen & { outcome: Outcome }> {
    const path = [join(prefix, "bin"), dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter);
    return stage({}, ({ env, cwd }) => perform({ env: { ...env, PATH: path }, cwd }));
  }

  test("is on the PATH under both names", async () => {
    for (const name of ["deputy", "deputize"]) assert.ok(existsSync(join(prefix, "bin", name)), name);
    const { outcome } = await atHome(({ env, cwd }) => execute("deputy", ["--version"], { env, cwd }));
    assert.match(outcome.stdout, /\d+\.\d+\.\d+\n$/);
  });

  test("runs a task, answers a message of a chat, and lists both runs", async () => {
    const { outcome, requests } = await atHome(async (options) => {
      const ran = await execute(program, ["run", "--goal", "one", "--json"], options);
      const answered = await execute(program, ["chat", "-p", "two"], options);
      return {
        result: JSON.parse(ran.stdout),
        answer: answered.stdout,
        runs: await execute(program, ["runs"], options),
      };
    });
    assert.equal(outcome.result.results[0].summary, "done");
    assert.match(outcome.answer, /done/);
    assert.equal(outcome.runs.stdout.match(/one|two/g)?.length, 2);
    assert.equal(requests.length, 2);
  });

  for (const [name, shell] of Object.entries(SHELLS))
    test(`completes commands, flags and models in ${name}`, { skip: missingShell(name) }, async (context) => {
      const terminal = openShell(context, shell, { folder: join(prefix, "bin") });
      await terminal.see("ready$");
      await typeKeys(terminal, "deputy ret\t", "retry ");
      await typeKeys(terminal, "x --eff\t", "--effort ");
      await typeKeys(terminal, "xh\t", "xhigh ");
      await typeKeys(terminal, "-m swi\t", "swift ");
    });

  test("serves delegate_task over MCP", async () => {
    const { outcome } = await atHome(async ({ env, cwd }) => {
      const client = await connect("2.x", { command: program, args: ["mcp"], env, cwd });
      try {
        return JSON.stringify((await client.call("delegate_task", { goal: "one" })).data);
      } finally {
        await client.close();
      }
    });
    assert.match(outcome, /"summary":"done"/);
  });
});

/** Runs a program without standard input. */
function execute(program: string, args: string[], options: Place): Promise<{ stdout: string }> {
  const running = promisify(execFile)(program, args, options);
  running.child.stdin?.end();
  return running;
}

/** Fields of a type in a declaration file that no doc comment describes. */
function undocumented(text: string, name: string): string[] {
  const [, body = ""] = new RegExp(`type ${name} = (?:\\w+ & )?\\{\\n([\\s\\S]*?)\\n\\}`).exec(text) ?? [];
  assert.notEqual(body, "", name);
  const lines = body.split("\n");
  return lines.flatMap((line, at) => {
    const [, field] = /^ {4}(\w+)\??: /.exec(line) ?? [];
    return field === undefined || lines[at - 1]?.endsWith("*/") ? [] : [`${name}.${field}`];
  });
}

/** Runs a program to its end and returns its standard output; shows both streams if it fails. */
function run(program: string, args: string[], cwd: string): string {
  try {
    return execFileSync(program, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} ${args.join(" ")} failed:\n${stdout}${stderr}`, { cause: error });
  }
}
