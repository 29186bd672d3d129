/**
 * The system calls that no command in a sandbox can make, as a filter program of the kernel (classic BPF, seccomp(2)).
 * Namespaces and mounts already keep a command inside. The filter closes what they do not cover: sockets of the host
 * that no network namespace holds back (VM sockets), keyrings, io_uring (which makes sockets past any filter), input
 * typed into terminals, and the calls with which a process would build a namespace of its own.
 */

type Architecture = "x64" | "arm64";
/** Numbers of a system call; a missing one does not exist there. */
type SystemCall = Partial<Record<Architecture, number>>;

/** `AUDIT_ARCH_*` of linux/audit.h. A program of another architecture, such as 32 bits, can make no call. */
const AUDIT: Record<Architecture, number> = { x64: 0xc000003e, arm64: 0xc00000b7 };
/** Calls of the x32 variant have this bit. */
const X32_BIT = 0x40000000;

const EPERM = 1;
const ENOSYS = 38;
const EAFNOSUPPORT = 97;

/** Sources: unistd_64.h of x86 and the generic table of arm64; the default profile of Docker refuses most of them. */
const REFUSED: Record<string, SystemCall> = {
  mount: { x64: 165, arm64: 40 },
  umount2: { x64: 166, arm64: 39 },
  pivot_root: { x64: 155, arm64: 41 },
  setns: { x64: 308, arm64: 268 },
  open_tree: { x64: 428, arm64: 428 },
  move_mount: { x64: 429, arm64: 429 },
  fsopen: { x64: 430, arm64: 430 },
  fsconfig: { x64: 431, arm64: 431 },
  fsmount: { x64: 432, arm64: 432 },
  fspick: { x64: 433, arm64: 433 },
  mount_setattr: { x64: 442, arm64: 442 },
  open_by_handle_at: { x64: 304, arm64: 265 },
  bpf: { x64: 321, arm64: 280 },
  perf_event_open: { x64: 298, arm64: 241 },
  userfaultfd: { x64: 323, arm64: 282 },
  io_uring_setup: { x64: 425, arm64: 425 },
  io_uring_enter: { x64: 426, arm64: 426 },
  io_uring_register: { x64: 427, arm64: 427 },
  add_key: { x64: 248, arm64: 217 },
  request_key: { x64: 249, arm64: 218 },
  keyctl: { x64: 250, arm64: 219 },
  pidfd_getfd: { x64: 438, arm64: 438 },
  kexec_load: { x64: 246, arm64: 104 },
  kexec_file_load: { x64: 320, arm64: 294 },
  init_module: { x64: 175, arm64: 105 },
  finit_module: { x64: 313, arm64: 273 },
  delete_module: { x64: 176, arm64: 106 },
};

const SOCKET: SystemCall = { x64: 41, arm64: 198 };
/** Unix, IPv4, IPv6 and netlink: all of them end at the namespaces of the sandbox. */
const FAMILIES = [1, 2, 10, 16];

const IOCTL: SystemCall = { x64: 16, arm64: 29 };
/** `TIOCSTI` types into a terminal, `TIOCLINUX` pastes there. */
const TERMINAL_INPUT = [0x5412, 0x541c];

const UNSHARE: SystemCall = { x64: 272, arm64: 97 };
const CLONE: SystemCall = { x64: 56, arm64: 220 };
/** Its flags lie in memory, which a filter cannot read. Programs then use `clone`. */
const CLONE3: SystemCall = { x64: 435, arm64: 435 };
/** `CLONE_NEWTIME`, `NEWNS`, `NEWCGROUP`, `NEWUTS`, `NEWIPC`, `NEWUSER`, `NEWPID`, `NEWNET`. */
const NEW_NAMESPACES = 0x7e020080;
/** In `clone`, the low byte is the signal at the end of the process. */
const NEW_NAMESPACES_OF_CLONE = 0x7e020000;

/** The filter for this machine, as bubblewrap reads it; undefined for an architecture that is not in the tables. */
export function seccompFilter(architecture: string = process.arch): Buffer | undefined {
  if (architecture !== "x64" && architecture !== "arm64") return undefined;
  const when = (call: SystemCall, program: Instruction[]) => whenCalled(call[architecture], program);
  return encoded([
    load(ARCHITECTURE),
    ...unlessEqual(AUDIT[architecture], [refuse(ENOSYS)]),
    load(NUMBER),
    ...(architecture === "x64" ? ifAtLeast(X32_BIT, [refuse(ENOSYS)]) : []),
    ...Object.values(REFUSED).flatMap((call) => when(call, [refuse(EPERM)])),
    ...when(CLONE3, [refuse(ENOSYS)]),
    ...when(CLONE, [load(argument(0)), ...ifAnyBit(NEW_NAMESPACES_OF_CLONE, [refuse(EPERM)]), ALLOW]),
    ...when(UNSHARE, [load(argument(0)), ...ifAnyBit(NEW_NAMESPACES, [refuse(EPERM)]), ALLOW]),
    ...when(SOCKET, [
      load(argument(0)),
      ...FAMILIES.flatMap((family) => ifEqual(family, [ALLOW])),
      refuse(EAFNOSUPPORT),
    ]),
    ...when(IOCTL, [
      load(argument(1)),
      ...TERMINAL_INPUT.flatMap((request) => ifEqual(request, [refuse(EPERM)])),
      ALLOW,
    ]),
    ALLOW,
  ]);
}

// Programs of `struct sock_filter`: see linux/filter.h and linux/bpf_common.h ---------------------------------------

type Instruction = { code: number; ifTrue?: number; ifFalse?: number; value: number };

/** Offsets in `struct seccomp_data`; of an argument, the low half. */
const NUMBER = 0;
const ARCHITECTURE = 4;
const argument = (index: number) => 16 + 8 * index;

const load = (offset: number): Instruction => ({ code: 0x20, value: offset });
const refuse = (errno: number): Instruction => ({ code: 0x06, value: 0x00050000 | errno });
const ALLOW: Instruction = { code: 0x06, value: 0x7fff0000 };

const ifEqual = (value: number, program: Instruction[]) => [
  { code: 0x15, ifTrue: 0, ifFalse: program.length, value },
  ...program,
];
const unlessEqual = (value: number, program: Instruction[]) => [
  { code: 0x15, ifTrue: program.length, ifFalse: 0, value },
  ...program,
];
const ifAtLeast = (value: number, program: Instruction[]) => [
  { code: 0x35, ifTrue: 0, ifFalse: program.length, value },
  ...program,
];
const ifAnyBit = (value: number, program: Instruction[]) => [
  { code: 0x45, ifTrue: 0, ifFalse: program.length, value },
  ...program,
];

function whenCalled(number: number | undefined, program: Instruction[]): Instruction[] {
  return number === undefined ? [] : ifEqual(number, program);
}

function encoded(program: readonly Instruction[]): Buffer {
  const bytes = Buffer.alloc(8 * program.length);
  for (const [index, { code, ifTrue = 0, ifFalse = 0, value }] of program.entries()) {
    bytes.writeUInt16LE(code, 8 * index);
    bytes.writeUInt8(ifTrue, 8 * index + 2);
    bytes.writeUInt8(ifFalse, 8 * index + 3);
    bytes.writeUInt32LE(value >>> 0, 8 * index + 4);
  }
  return bytes;
}
