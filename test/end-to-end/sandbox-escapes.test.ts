/**
 * Attempts to leave the sandbox, with the real program. One child makes all of them, each as a command of its own; then
 * each test checks what the command got, what happened outside, and that the call is recorded as sandboxed.
 */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { temporaryDirectory } from "../support/command-line.ts";
import { processesWith } from "../support/end-to-end.ts";
import { withoutSandbox } from "../support/sandbox.ts";
import { type Called, openSandboxStage, type SandboxStage, SECRET } from "../support/sandbox-stage.ts";

/** Perl is part of every Debian, and makes any system call. */
const perl = (program: string) => `perl -e '${program}'`;
/** Prints `made` if a system call of x86-64 or arm64 succeeds, and otherwise why not. */
const syscallOf = (x64: number, arm64: number, args: string) =>
  perl(`my @a = (${args}); print syscall(${process.arch === "arm64" ? arm64 : x64}, @a) < 0 ? "refused: $!" : "made"`);
const toSocket = (packed: string, family = 1) =>
  perl(
    `use Socket; socket(S, ${family}, SOCK_STREAM, 0) or die "refused: $!\\n"; connect(S, ${packed}) or die "refused: $!\\n"; print "connected", <S>`,
  );
const viaProxy = (target: string) =>
  `exec 3<>/dev/tcp/127.0.0.1/3128; printf 'CONNECT ${target} HTTP/1.1\\r\\nHost: ${target}\\r\\n\\r\\n' >&3; timeout 5 cat <&3`;

type Attempt = {
  command(stage: SandboxStage): string;
  /** What the command may print. The default is anything without a secret. */
  prints?: RegExp;
  /** Checks the outside afterwards. */
  check?(stage: SandboxStage, called: Called): void;
};

const untouched = (path: string) => (stage: SandboxStage) => assert.equal(existsSync(join(stage.base, path)), false);
const unreached = (stage: SandboxStage) => assert.deepEqual(stage.reached, []);
const isAlive = ({ bystander }: SandboxStage) => assert.equal(bystander.exitCode ?? bystander.signalCode, null);

const READ_ONLY = /Read-only file system/;
const ABSENT = /No such file or directory/;
const FORBIDDEN = /refused: Operation not permitted/;

const ATTEMPTS: Record<string, Attempt> = {
  // Writing
  "writing next to the workspace": {
    command: () => "echo x > ../planted.txt",
    prints: READ_ONLY,
    check: untouched("home/planted.txt"),
  },
  "writing to a file of the home directory that shells run": {
    command: () => "echo 'touch /tmp/x' >> ~/.bashrc; echo x > ~/.profile",
    prints: READ_ONLY,
    check: (stage) => assert.equal(stage.read("home/.bashrc"), "# as it was\n"),
  },
  "writing through a link that was in the workspace": {
    command: () => "echo x > way-out/planted.txt",
    prints: ABSENT,
    check: untouched("outside/planted.txt"),
  },
  "writing through a link that the command makes": {
    command: ({ outside }) => `ln -s ${outside} link; echo x > link/planted.txt`,
    prints: ABSENT,
    check: untouched("outside/planted.txt"),
  },
  "a hard link to a file outside": {
    command: ({ outside }) => `ln ${outside}/secret.txt hard; ln /etc/hostname hard; cat hard`,
    prints: /failed to create hard link|failed to access/,
  },
  "writing to a directory of the system": {
    command: () => "touch /usr/bin/planted /etc/cron.d/planted /opt/planted /planted",
    prints: READ_ONLY,
    check: () => assert.equal(existsSync("/usr/bin/planted") || existsSync("/planted"), false),
  },
  "making a read-only mount writable": {
    command: () => "mount -o remount,rw /usr; touch /usr/planted",
    prints: READ_ONLY,
    check: () => assert.equal(existsSync("/usr/planted"), false),
  },
  "writing to settings of the kernel": {
    command: () =>
      "echo '|/tmp/x' > /proc/sys/kernel/core_pattern; echo b > /proc/sysrq-trigger; echo /x > /sys/fs/cgroup/release_agent",
    prints: /Read-only|Permission denied|No such file/,
  },
  "changing Deputy's own code": {
    command: () => "echo x >> $(find /run/deputy/code -name 'runner.*' | head -1)",
    prints: READ_ONLY,
  },
  // Git
  "planting a hook": {
    command: () => "printf '#!/bin/sh\\ntouch /tmp/hooked' > .git/hooks/pre-commit",
    prints: READ_ONLY,
    check: untouched("home/project/.git/hooks/pre-commit"),
  },
  "planting a program in the config of the repository": {
    command: () => "git config core.fsmonitor 'touch /tmp/x'; echo '[core] fsmonitor = x' >> .git/config",
    prints: READ_ONLY,
    check: (stage) => assert.doesNotMatch(stage.read("home/project/.git/config"), /fsmonitor/),
  },
  "moving the repository away to make another one": {
    command: () => "mv .git old; mkdir -p .git/hooks && echo x > .git/hooks/post-checkout",
    prints: /busy[\s\S]*Read-only/,
    check: untouched("home/project/old"),
  },
  "attributes that name a filter": {
    command: () => "echo '* filter=x' > .git/info/attributes",
    prints: READ_ONLY,
  },
  "leading git to settings elsewhere": {
    command: () => "mkdir -p evil/hooks; echo ../evil > .git/commondir; sleep 1; echo still there",
    prints: /a command created .*commondir/,
    check: untouched("home/project/.git/commondir"),
  },
  // Reading
  "reading a key of the user": { command: () => "cat ~/.ssh/id_ed25519", prints: ABSENT },
  "finding secrets below the home directory": {
    command: ({ base }) => `grep -rls secret-that ${base} /etc /var /tmp /run /opt | head`,
    prints: /^(?![\s\S]*(id_ed25519|outside\/secret|config\.yaml|work\/other))/,
  },
  "reading credentials in a toolchain": { command: () => "cat ~/.cargo/credentials.toml", prints: /Permission denied/ },
  "reading the journal": {
    command: () => "ls ~/.local/state/deputy; cat ~/.local/state/deputy/*",
    prints: ABSENT,
  },
  "reading Deputy's config": { command: () => "cat ~/.config/deputy/config.yaml", prints: ABSENT },
  "reading the copy of another child": {
    command: () => "cat ~/.local/share/deputy/work/other/secret.txt",
    prints: ABSENT,
  },
  "reading a file outside by its absolute path": {
    command: ({ outside }) => `cat ${outside}/secret.txt`,
    prints: ABSENT,
  },
  "reading the files of the system that only root reads": {
    command: () => "cat /etc/shadow",
    prints: /Permission denied/,
  },
  "reading devices": {
    command: () => "ls /dev; mknod disk b 8 0; mknod mem c 1 1; cat /dev/mem /dev/sda /dev/vda",
    prints: /Operation not permitted/,
  },
  // Processes
  "reading Deputy's environment": {
    command: () => "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c -e GLM_API_KEY -e BYSTANDER",
    prints: /^0\n/,
  },
  "finding processes outside": {
    command: ({ bystander }) => `ls /proc; cat /proc/${bystander.pid}/environ /proc/${bystander.pid}/cmdline`,
    prints: ABSENT,
  },
  "ending a process outside": {
    command: ({ bystander }) => `kill -9 ${bystander.pid}; kill -9 -1; true`,
    check: isAlive,
  },
  "tracing a process outside": {
    command: ({ bystander }) => syscallOf(101, 117, `16, ${bystander.pid}, 0, 0`),
    prints: /refused: No such process/,
    check: isAlive,
  },
  "reading the memory of a process outside": {
    command: ({ bystander }) => `head -c 9 /proc/${bystander.pid}/mem`,
    prints: ABSENT,
  },
  "a process that leaves its session": {
    command: () => "setsid sh -c '(sleep 300 &) 3>&- 4>&-' >/dev/null 2>&1; (setsid sleep 301 3>&- 4>&- &) ; echo left",
    prints: /left/,
  },
  "speaking to Deputy as if it were the runner": {
    command: () => "for p in /proc/[0-9]*; do echo garbage > $p/fd/1; done 2>/dev/null; echo done",
    prints: /done/,
  },
  "typing into a terminal": {
    command: () => perl(`open(T, "+<", "/dev/ptmx"); $c = "x"; print ioctl(T, 0x5412, $c) ? "made" : "refused: $!"`),
    prints: FORBIDDEN,
  },
  "becoming another user": {
    command: () => "grep -E 'NoNewPrivs|CapEff' /proc/self/status; su -c id nobody; sudo -n id; true",
    prints: /CapEff:\s+0{16}\s+NoNewPrivs:\s+1/,
  },
  // The kernel
  mounting: { command: () => syscallOf(165, 40, '"none", "/tmp", "tmpfs", 0, 0'), prints: FORBIDDEN },
  "a mount by the newer calls": { command: () => syscallOf(428, 428, '-100, "/usr", 1'), prints: FORBIDDEN },
  "a user namespace": { command: () => syscallOf(272, 97, "0x10000000"), prints: FORBIDDEN },
  "a user namespace with a program": { command: () => "unshare -Ur id", prints: /unshare failed/ },
  "moving the root": { command: () => syscallOf(155, 41, '"/tmp", "/tmp"'), prints: FORBIDDEN },
  "the keyring of the user": { command: () => syscallOf(250, 219, "0, -3, 1"), prints: FORBIDDEN },
  "io_uring, which filters do not see": { command: () => syscallOf(425, 425, "1, 0"), prints: FORBIDDEN },
  "a program in the kernel": { command: () => syscallOf(321, 280, "0, 0, 0"), prints: FORBIDDEN },
  // The network
  "a raw socket": {
    command: () => perl(`use Socket; print socket(S, PF_INET, SOCK_RAW, 1) ? "made" : "refused: $!"`),
    prints: FORBIDDEN,
  },
  "a packet socket": {
    command: () => perl(`print socket(S, 17, 3, 768) ? "made" : "refused: $!"`),
    prints: /refused: Address family not supported/,
  },
  "a socket to the host of a virtual machine": {
    command: () => perl(`print socket(S, 40, 1, 0) ? "made" : "refused: $!"`),
    prints: /refused: Address family not supported/,
  },
  "a service of the user on loopback, past the proxy": {
    command: ({ port }) => `unset HTTP_PROXY http_proxy; exec 3<>/dev/tcp/127.0.0.1/${port} && cat <&3`,
    prints: /Connection refused/,
    check: unreached,
  },
  "a service of the user on loopback, through the proxy": {
    command: ({ port }) => viaProxy(`127.0.0.1:${port}`),
    prints: /403 Forbidden[\s\S]*expected a name, found an address/,
    check: unreached,
  },
  "an address written as a number": {
    command: ({ port }) => viaProxy(`2130706433:${port}`),
    prints: /403 Forbidden[\s\S]*found an address/,
    check: unreached,
  },
  "a host that nobody approved": {
    command: () => viaProxy("collect.example.com:443"),
    prints: /403 Forbidden[\s\S]*refused collect\.example\.com:443/,
  },
  "an address on the internet, past the proxy": {
    command: () => "exec 3<>/dev/tcp/192.0.2.1/443",
    prints: /Network is unreachable/,
  },
  "a question to a name server": {
    command: () => "getent hosts example.com; exec 3>/dev/udp/192.0.2.53/53 && echo x >&3",
    prints: /Network is unreachable/,
  },
  "a Unix socket of the user": {
    command: ({ socket }) => toSocket(`sockaddr_un("${socket}")`),
    prints: /refused: No such file/,
    check: unreached,
  },
  "an abstract Unix socket of the user": {
    command: ({ abstractSocket }) => toSocket(`sockaddr_un("\\0${abstractSocket.slice(1)}")`),
    prints: /refused: Connection refused/,
    check: unreached,
  },
  "the agent for keys": {
    command: () => 'echo "agent: [$SSH_AUTH_SOCK]"; ssh-add -l; true',
    prints: /agent: \[\]/,
    check: unreached,
  },
  "the sockets of the system": {
    command: () => "ls /run /var/run; ls -d /run/docker.sock /var/run/docker.sock /run/systemd /run/dbus /run/user",
    prints: ABSENT,
  },
  "ending the sandbox from inside": { command: () => "kill -9 1 $(ps -eo pid= 2>/dev/null) 2>/dev/null; kill -9 -1" },
};

const base = temporaryDirectory(after);
/** Rules and approvals hold nothing back: the sandbox alone does. */
const CONFIG = "permissions: [{ tool: terminal, then: allow }]\ndelegation: { max_iterations: 200 }\n";

describe("in a sandbox, nothing comes of", { skip: withoutSandbox }, () => {
  let stage: SandboxStage;
  let results: Called[] = [];

  before(async () => {
    stage = await openSandboxStage(base, CONFIG);
    const calls = Object.values(ATTEMPTS).map(({ command }) => ({ command: command(stage), timeout_seconds: 30 }));
    results = await stage.callAll(calls);
  });
  after(() => stage?.close());

  for (const [index, [name, { prints, check }]] of Object.entries(ATTEMPTS).entries()) {
    test(name, () => {
      const called = results[index];
      assert.ok(called !== undefined, "the child did not get so far");
      assert.equal(called.sandboxed, true);
      assert.ok(!called.text.includes(SECRET), called.text);
      if (prints !== undefined) assert.match(called.text, prints);
      check?.(stage, called);
    });
  }

  test("all of them together: no process is left, and the user's files are as before", () => {
    assert.deepEqual(processesWith(`TEST_STAGE=${stage.base}`), []);
    assert.deepEqual(readdirSync(stage.outside).sort(), ["secret.txt", "service.sock"]);
    unreached(stage);
    isAlive(stage);
  });
});
