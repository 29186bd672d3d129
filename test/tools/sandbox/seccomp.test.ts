/** The filter of system calls, by an interpreter of its program: also for the architecture that the tests do not run on. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { seccompFilter } from "../../../src/tools/sandbox/seccomp.ts";

const ALLOWED = 0x7fff0000;
const refused = (errno: number) => 0x00050000 | errno;
const [EPERM, ENOSYS, EAFNOSUPPORT] = [1, 38, 97];

const MACHINES = {
  x64: {
    audit: 0xc000003e,
    unshare: 272,
    clone: 56,
    socket: 41,
    ioctl: 16,
    mount: 165,
    keyctl: 250,
    read: 0,
    openat: 257,
  },
  arm64: {
    audit: 0xc00000b7,
    unshare: 97,
    clone: 220,
    socket: 198,
    ioctl: 29,
    mount: 40,
    keyctl: 219,
    read: 63,
    openat: 56,
  },
} as const;

/** What the kernel does with a call: the value that the program returns for it. */
function verdict(filter: Buffer, audit: number, number: number, args: readonly number[] = []): number {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(number >>> 0, 0);
  data.writeUInt32LE(audit, 4);
  for (const [index, value] of args.entries()) data.writeBigUInt64LE(BigInt(value), 16 + 8 * index);
  let accumulator = 0;
  for (let at = 0; ; at += 1) {
    const code = filter.readUInt16LE(8 * at);
    const [ifTrue, ifFalse] = [filter.readUInt8(8 * at + 2), filter.readUInt8(8 * at + 3)];
    const value = filter.readUInt32LE(8 * at + 4);
    const jump = (holds: boolean) => {
      at += holds ? ifTrue : ifFalse;
    };
    if (code === 0x06) return value;
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else assert.fail(`unknown instruction ${code}`);
  }
}

for (const [name, machine] of Object.entries(MACHINES))
  describe(`the filter for ${name}`, () => {
    const filter = seccompFilter(name) ?? assert.fail("there is none");
    const decide = (number: number, ...args: number[]) => verdict(filter, machine.audit, number, args);

    test("lets ordinary calls pass", () => {
      for (const number of [machine.read, machine.openat]) assert.equal(decide(number), ALLOWED);
      assert.equal(decide(machine.clone, 0x01200011), ALLOWED);
      assert.equal(decide(machine.unshare, 0x400), ALLOWED);
      for (const family of [1, 2, 10, 16]) assert.equal(decide(machine.socket, family, 1), ALLOWED);
      assert.equal(decide(machine.ioctl, 0, 0x5401), ALLOWED);
    });

    test("refuses namespaces, mounts and keyrings", () => {
      assert.equal(decide(machine.unshare, 0x10000000), refused(EPERM));
      assert.equal(decide(machine.clone, 0x10000011), refused(EPERM));
      assert.equal(decide(435), refused(ENOSYS));
      for (const number of [machine.mount, machine.keyctl, 428, 425]) assert.equal(decide(number), refused(EPERM));
    });

    test("refuses sockets past the network namespace, and input typed into terminals", () => {
      for (const family of [17, 38, 40, 44]) assert.equal(decide(machine.socket, family, 1), refused(EAFNOSUPPORT));
      for (const request of [0x5412, 0x541c]) assert.equal(decide(machine.ioctl, 0, request), refused(EPERM));
    });

    test("refuses every call of a program for another architecture", () => {
      assert.equal(verdict(filter, 0x40000003, machine.read), refused(ENOSYS));
    });
  });

test("calls of the x32 variant of x86-64 are refused", () => {
  const filter = seccompFilter("x64") ?? assert.fail("there is none");
  assert.equal(verdict(filter, MACHINES.x64.audit, 0x40000000 + MACHINES.x64.mount), refused(ENOSYS));
});

test("there is no filter for an architecture without a table", () => {
  assert.equal(seccompFilter("riscv64"), undefined);
});
