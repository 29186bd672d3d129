/** The sandbox with the real program: ordinary work runs in it, and leaving it takes a user. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { temporaryDirectory, until } from "../support/command-line.ts";
import { processesWith } from "../support/end-to-end.ts";
import { withoutSandbox } from "../support/sandbox.ts";
import { openSandboxStage, type TerminalCall } from "../support/sandbox-stage.ts";

const base = temporaryDirectory(after);

async function openStage(t: TestContext, config?: string) {
  const stage = await openSandboxStage(mkdtempSync(join(base, "stage-")), config);
  t.after(stage.close);
  return stage;
}

const SERVER = `require("node:http").createServer((_, response) => response.end("hello")).listen(8123, () => console.log("up"))`;
const WAIT = "for i in $(seq 100); do curl -sf http://127.0.0.1:8123/ && break; sleep 0.05; done";
const MAKEFILE = "all: prog\n\t./prog\nprog: prog.c\n\tcc -o prog prog.c\n";
const PACKAGE = JSON.stringify({ name: "p", version: "1.0.0", scripts: { test: "node --test a.test.js" } });
const PYTHON = `python3 -c "import multiprocessing as m; print('made by', m.Pool(2).map(abs, [-1, -2]))"`;

/** Commands of ordinary work, each with what it prints and the program that it needs. */
const WORK: [name: string, call: TerminalCall, prints: RegExp, needs?: string][] = [
  ["a file of the workspace", { command: "echo b > b.txt && cat a.txt b.txt" }, /^a\nb\n?$/],
  [
    "a commit, with the user's name",
    { command: "git add -A && git commit -qm second && git log -1 --format=%an" },
    /Ann/,
  ],
  [
    "a branch and a stash",
    { command: "git checkout -qb topic && echo c > a.txt && git stash -q && git stash list" },
    /stash@/,
  ],
  ["a tool of the user's toolchain", { command: "~/.cargo/bin/tool" }, /tool of the user/],
  ["temporary files", { command: "cd $(mktemp -d) && echo kept > /tmp/kept && pwd" }, /\/tmp\//],
  ["temporary files of an earlier command", { command: "cat /tmp/kept" }, /kept/],
  [
    "a cache in the home directory",
    { command: "mkdir -p ~/.cache/x && echo y > ~/.cache/x/y && cat ~/.cache/x/y" },
    /y/,
  ],
  ["a pipeline with many processes", { command: "seq 2000 | xargs -n1 -P8 echo | wc -l" }, /2000/],
  ["npm test", { command: "npm test 2>&1" }, /pass 1/, "npm"],
  ["make and a compiler", { command: "make" }, /compiled/, "cc"],
  ["processes of Python that talk", { command: PYTHON }, /made by \[1, 2\]/, "python3"],
  ["a server in the background", { command: `node -e '${SERVER}'`, background: true }, /runs in the background/],
  ["a request of the next command to it", { command: WAIT }, /hello/, "curl"],
  ["an exit code", { command: "exit 7" }, /exit code 7/],
  ["a command that takes too long", { command: "sleep 30", timeout_seconds: 1 }, /ended after 1 s/],
  ["a command after that", { command: "echo still here" }, /still here/],
];

function pathOf(program: string): string | undefined {
  const places = (process.env.PATH ?? "").split(":").map((directory) => join(directory, program));
  return places.find((path) => existsSync(path));
}

const has = (program: string) => pathOf(program) !== undefined;

describe("in the sandbox", { skip: withoutSandbox }, () => {
  test("ordinary work runs as outside", { timeout: 90_000 }, async (t) => {
    const stage = await openStage(t);
    const write = (name: string, text: string) => writeFileSync(join(stage.project, name), text);
    write("prog.c", '#include <stdio.h>\nint main(void) { puts("compiled"); }\n');
    write("Makefile", MAKEFILE);
    write("package.json", PACKAGE);
    write("a.test.js", 'require("node:test")("works", () => {});\n');
    const results = await stage.callAll(WORK.map(([, call]) => call));
    for (const [index, [name, , prints, needs]] of WORK.entries())
      await t.test(name, { skip: needs !== undefined && !has(needs) && `${needs} is not installed` }, () => {
        assert.match(results[index]?.text ?? "", prints);
        assert.equal(results[index]?.sandboxed, true);
      });
    assert.deepEqual(processesWith(`TEST_STAGE=${stage.base}`), []);
    assert.equal(existsSync(join(stage.home, ".cache/x")), false);
  });

  test("a process that has left its session ends when Deputy is killed", { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t);
    const command = "(setsid sh -c 'touch started; exec sleep 300' >/dev/null 2>&1 3>&- 4>&- &); sleep 60";
    const run = await stage.begin([{ command }]);
    await until(() => existsSync(join(stage.project, "started")));
    assert.ok(processesWith(`TEST_STAGE=${stage.base}`).length > 1);
    run.child.kill("SIGKILL");
    await until(() => processesWith(`TEST_STAGE=${stage.base}`).length === 0);
  });

  test("without a rule, commands in the user's own tree ask", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t, "delegation: { approvals: ask }\n");
    const [called] = await stage.callAll([{ command: "touch made" }]);
    assert.match(called?.text ?? "", /needs the user's approval/);
    assert.equal(existsSync(join(stage.project, "made")), false);
  });

  test("a rule that denies or asks applies there, too", { timeout: 30_000 }, async (t) => {
    const rules =
      "permissions: [{ tool: terminal, match: 'rm *', then: deny }, { tool: terminal, match: 'cp *', then: ask }]";
    const stage = await openStage(t, `terminal: { sandboxed: allow }\n${rules}\n`);
    const results = await stage.callAll([{ command: "rm a.txt" }, { command: "cp a.txt b" }, { command: "cat a.txt" }]);
    assert.match(results[0]?.text ?? "", /says deny/);
    assert.match(results[1]?.text ?? "", /needs the user's approval/);
    assert.equal(results[2]?.text, "a");
  });

  test("a command that names a file of secrets asks", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t);
    writeFileSync(join(stage.project, ".env"), "KEY=1\n");
    const [called] = await stage.callAll([{ command: "cat .env" }]);
    assert.match(called?.text ?? "", /needs the user's approval.*usually holds secrets/s);
  });
});

describe("in a working copy of its own", { skip: withoutSandbox }, () => {
  const COPIES = "~/.local/share/deputy/work";

  test("a child's commands need no approval, and its commits become a branch", { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t, "delegation: { approvals: ask, isolation: worktree }\n");
    const results = await stage.callAll([
      { command: "git status --short && git log --format=%s && cat a.txt" },
      { command: "echo b >> a.txt && git commit -qam second && git log --format=%an -1" },
      { command: "git gc -q && git stash list && git checkout -q -b other && git fsck" },
      { command: "mkdir -p .git/hooks; printf '#!/bin/sh\\n' > .git/hooks/pre-commit; echo planted" },
      {
        command: `ls ${COPIES}/*; cat ${COPIES}/other/secret.txt ${stage.project}/a.txt; echo x > ${stage.project}/b.txt`,
      },
      { command: "touch ../../../x ../x; git push origin other" },
      { command: "true", outside_sandbox: "to leave" },
    ]);
    const said = results.map(({ text }) => text);
    assert.match(said[0] ?? "", /^first\na/);
    assert.equal(said[1], "Ann");
    assert.doesNotMatch(said[2] ?? "", /error|fatal|missing/);
    assert.equal(said[3], "planted");
    assert.match(
      said[4] ?? "",
      /other\/secret\.txt: No such file[\s\S]*a\.txt: No such file[\s\S]*(No such file|Read-only)/,
    );
    assert.match(said[5] ?? "", /Read-only file system[\s\S]*'origin' does not appear/);
    assert.match(said[6] ?? "", /needs the user's approval/);
    assert.deepEqual(results.map(({ sandboxed }) => sandboxed).slice(0, 6), Array(6).fill(true));
    assert.equal(stage.read("home/project/a.txt"), "a\n");
    assert.equal(existsSync(join(stage.project, "b.txt")), false);
    assert.equal(existsSync(join(stage.project, ".git/hooks/pre-commit")), false);
  });

  test("what a child writes as the place of further objects is not shown to its sandbox", {
    timeout: 60_000,
  }, async (t) => {
    const stage = await openStage(t, "delegation: { isolation: worktree }\n");
    const results = await stage.callAll([
      { command: `echo ${stage.outside} >> .git/objects/info/alternates; kill -9 1; kill -9 -1` },
      { command: `cat ${stage.outside}/secret.txt` },
    ]);
    assert.match(results[1]?.text ?? "", /No such file/);
  });
});

describe("leaving the sandbox", { skip: withoutSandbox }, () => {
  const OUTSIDE = { command: "touch ../outside.txt && echo left", outside_sandbox: "it writes to the home directory" };

  test("asks, even where commands inside do not", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t);
    const [called] = await stage.callAll([OUTSIDE]);
    assert.match(called?.text ?? "", /needs the user's approval/);
    assert.equal(existsSync(join(stage.home, "outside.txt")), false);
  });

  test("shows the reason, and runs outside once a user approves", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t);
    const run = await stage.begin([OUTSIDE], ["--wait-for-approval"]);
    const shown = await requestOf(stage);
    assert.match(shown, /outside the sandbox/);
    assert.match(shown, /because: it writes to the home directory/);
    await stage.deputy("approve", "--all").ended;
    const { stdout } = await run.ended;
    const events = await stage.events(JSON.parse(stdout).delegation_id);
    const end = events.find(({ kind }) => kind === "tool-end");
    assert.deepEqual([end?.text, end?.sandboxed], ["left", false]);
    assert.ok(existsSync(join(stage.home, "outside.txt")));
  });

  test("needs no approval where a rule allows the command, and none is possible where a rule denies it", async (t) => {
    const rules =
      "permissions: [{ tool: terminal, match: 'true', then: allow }, { tool: terminal, match: 'touch *', then: deny }]";
    const stage = await openStage(t, `terminal: { sandboxed: allow }\n${rules}\n`);
    const results = await stage.callAll([{ command: "true", outside_sandbox: "x" }, OUTSIDE]);
    assert.deepEqual([results[0]?.ok, results[0]?.sandboxed], [true, false]);
    assert.match(results[1]?.text ?? "", /says deny/);
  });

  test("reading more asks with the path, and only that command reads it", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t);
    const command = `cat ${stage.outside}/secret.txt | wc -c`;
    const calls = [
      { command, read: [stage.outside] },
      { command },
      { command: "cat ~/.config/deputy/config.yaml", read: ["~"] },
    ];
    const run = await stage.begin(calls.slice(0, 2), ["--wait-for-approval"]);
    assert.ok((await requestOf(stage)).includes(`reads besides: ${stage.outside}`));
    await stage.deputy("approve", "--all").ended;
    const { stdout } = await run.ended;
    const ends = (await stage.events(JSON.parse(stdout).delegation_id)).filter(({ kind }) => kind === "tool-end");
    assert.equal(ends[0]?.text, "27");
    assert.match(String(ends[1]?.text), /No such file/);
  });
});

describe("what a request names", { skip: withoutSandbox }, () => {
  test("is what is read: a link that leads elsewhere is refused, whoever allows it", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t, "permissions: [{ tool: terminal, then: allow }]\n");
    const [called] = await stage.callAll([{ command: "cat way-out/secret.txt", read: ["way-out"] }]);
    assert.match(called?.text ?? "", /Expected a path without links; found .*way-out, which leads to .*outside/);
  });

  test("cannot be Deputy's own files", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t, "permissions: [{ tool: terminal, then: allow }]\n");
    const command = "cat ~/.config/deputy/config.yaml; ls ~/.local/state/deputy; cat ~/.ssh/id_ed25519 | wc -c";
    const [called] = await stage.callAll([{ command, read: ["~"] }]);
    assert.match(called?.text ?? "", /config\.yaml: Permission denied[\s\S]*deputy'?: Permission denied[\s\S]*27/);
  });
});

async function requestOf(stage: {
  deputy(...argv: string[]): { ended: Promise<{ stdout: string }> };
}): Promise<string> {
  for (;;) {
    const { stdout } = await stage.deputy("approve").ended;
    if (/asks to/.test(stdout)) return stdout;
  }
}

describe("hosts that a command wants to reach", { skip: withoutSandbox }, () => {
  const ASK = (authority: string) =>
    `exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT ${authority} HTTP/1.1\\r\\n\\r\\n' >&3; timeout 20 head -3 <&3`;

  test("are reached without a question if the config lists them", {
    timeout: 30_000,
    skip: !has("curl"),
  }, async (t) => {
    const server = createServer((request, response) => response.end(`${request.headers.host} ${request.url}`));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const stage = await openStage(t, `terminal: { sandboxed: allow, network: ["127.0.0.1:${port}"] }\n`);
    const command = `NO_PROXY= no_proxy= curl -s http://127.0.0.1:${port}/page`;
    const [called] = await stage.callAll([{ command }]);
    assert.equal(called?.text, `127.0.0.1:${port} /page`);
  });

  test("ask once, in the form in which they are sent, and never a model", { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t);
    const command = `${ASK("пример.example.com:443")}; ${ASK("xn--e1afmkfd.example.com:443")}`;
    const run = await stage.begin([{ command, timeout_seconds: 60 }], ["--wait-for-approval"]);
    assert.match(await requestOf(stage), /xn--e1afmkfd\.example\.com:443/);
    await stage.deputy("approve", "--all", "--deny", "--reason", "not that one").ended;
    const { stdout } = await run.ended;
    const events = await stage.events(JSON.parse(stdout).delegation_id);
    const asks = events.filter(({ kind }) => kind === "approval-ask");
    assert.deepEqual(
      asks.map(({ name, target, onlyUser }) => [name, target, onlyUser]),
      [["network", "xn--e1afmkfd.example.com:443", true]],
    );
    const text = String(events.find(({ kind }) => kind === "tool-end")?.text);
    assert.match(text, /\[sandbox: refused xn--e1afmkfd\.example\.com:443: .*not that one/);
  });

  test("are no longer asked for once the child is stopped", { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t);
    const command = `${ASK("a.example.com:443")}; ${ASK("b.example.com:443")}`;
    const run = await stage.begin([{ command, timeout_seconds: 1 }], ["--wait-for-approval"]);
    await requestOf(stage);
    run.child.kill("SIGINT");
    const { stdout } = await run.ended;
    const events = await stage.events(JSON.parse(stdout).delegation_id);
    const asks = events.map(({ kind }) => kind).filter((kind) => /^approval|^child-end/.test(String(kind)));
    assert.deepEqual(asks, ["approval-ask", "approval-end", "child-end"]);
    assert.equal((await stage.deputy("journal", "verify").ended).code, 0);
  });

  test("are refused without a question after three refusals", { timeout: 60_000 }, async (t) => {
    const stage = await openStage(t);
    const command = ["a", "b", "c", "d"].map((name) => ASK(`${name}.example.com:443`)).join("; ");
    const [called] = await stage.callAll([{ command }]);
    assert.match(called?.text ?? "", /refused c\.example\.com:443: it needs the user's approval/);
    assert.match(called?.text ?? "", /refused d\.example\.com:443: 3 hosts were refused in this run/);
  });

  test("are opened and closed by rules for network", { timeout: 30_000 }, async (t) => {
    const rules =
      "permissions: [{ tool: network, match: 'no.example.com:443', then: deny }, { tool: network, match: '*.invalid:443', then: allow }]";
    const stage = await openStage(t, `terminal: { sandboxed: allow }\n${rules}\n`);
    const results = await stage.callAll([
      { command: ASK("no.example.com:443") },
      { command: ASK("nowhere.invalid:443") },
    ]);
    assert.match(results[0]?.text ?? "", /says deny to no\.example\.com:443/);
    assert.match(
      results[1]?.text ?? "",
      /no connection to nowhere\.invalid:443: The host nowhere\.invalid cannot be found/,
    );
  });
});

describe("the setting terminal.sandbox", () => {
  /** Programs of this machine without bubblewrap. */
  const WITHOUT = { PATH: join(base, "bin") };
  mkdirSync(WITHOUT.PATH);
  for (const program of ["sh", "bash", "cmp", "dirname", "readlink", "touch", "git"])
    symlinkSync(pathOf(program) ?? program, join(WITHOUT.PATH, program));

  test("off: commands run outside, and are not told of a sandbox", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t, "terminal: { sandbox: off }\npermissions: [{ tool: terminal, then: allow }]\n");
    const [called] = await stage.callAll([{ command: "echo x > ../beside.txt && echo done" }]);
    assert.deepEqual([called?.text, called?.sandboxed], ["done", false]);
    assert.ok(existsSync(join(stage.home, "beside.txt")));
  });

  test("required: without a sandbox, no task with a terminal starts, and others do", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(t, "terminal: { sandbox: required }\n");
    const file = join(realpathSync(base), "two.json");
    const tasks = [
      { goal: "a", provider: "zai" },
      { goal: "b", provider: "zai", toolsets: ["file"] },
    ];
    writeFileSync(file, JSON.stringify(tasks));
    const { stdout } = await stage.deputyWith(WITHOUT, "run", file, "--dry-run", "--json").ended;
    const [first, second] = JSON.parse(stdout).tasks;
    assert.equal(first.problem.code, "toolset-unavailable");
    assert.match(
      first.problem.message,
      /bubblewrap is not installed\. Install bubblewrap: apt-get install -y bubblewrap/,
    );
    assert.equal(second.problem, undefined);
  });

  test("auto: without a sandbox, commands ask as ever, and a warning says so once", { timeout: 30_000 }, async (t) => {
    const stage = await openStage(
      t,
      "terminal: { sandboxed: allow }\npermissions: [{ tool: terminal, match: 'echo *', then: allow }]\n",
    );
    const run = stage.deputyWith(
      WITHOUT,
      "run",
      await stage.task([{ command: "echo a" }, { command: "touch b" }]),
      "--json",
    );
    const { stdout, stderr } = await run.ended;
    const [{ warnings, tool_trace }] = JSON.parse(stdout).results;
    assert.deepEqual(
      warnings.map(({ code }: { code: string }) => code),
      ["no-sandbox"],
    );
    assert.deepEqual(
      tool_trace.map(({ ok }: { ok: boolean }) => ok),
      [true, false],
    );
    assert.equal(stderr.match(/Commands run without a sandbox/g)?.length, 1, stderr);
  });
});
