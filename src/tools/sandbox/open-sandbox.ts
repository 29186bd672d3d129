/** Starts a child's sandbox for a place: its mounts, its proxy, and the guard of the repositories in it. */
import { gitFilesIn } from "./git-files.ts";
import { guardGitDirs } from "./git-guard.ts";
import { mountsOf, type SandboxPlace, writableRoots } from "./mounts.ts";
import { createNetworkProxy, type NetworkDoor } from "./network-proxy.ts";
import { type Sandbox, startSandbox } from "./sandbox.ts";

type OpenSandbox = {
  program: string;
  place: SandboxPlace;
  /** Paths that may be read besides. */
  reads: readonly string[];
  environment: Record<string, string>;
  door: NetworkDoor;
  /** Tells whoever runs a command what the sandbox did, in a sentence. */
  tell(text: string): void;
};

/** @throws ToolError if it cannot be started */
export async function openSandbox({ program, place, reads, environment, door, tell }: OpenSandbox): Promise<Sandbox> {
  let holdClocks = () => () => {};
  const proxy = createNetworkProxy({
    ...door,
    decide: (host, port) => door.decide(host, port).finally(holdClocks()),
  });
  const gitFiles = place.isIsolated ? [] : writableRoots(place).map(gitFilesIn);
  const sandbox = await startSandbox({ program, mounts: mountsOf(place, gitFiles, reads), environment, proxy });
  holdClocks = sandbox.holdClocks;
  const guard = guardGitDirs(
    gitFiles.flatMap(({ gitDirs }) => gitDirs),
    (path) => {
      tell(`a command created ${path}, which would make git run its programs. It was removed, and all commands end.`);
      void sandbox.close();
    },
  );
  const ended = sandbox.ended.then(guard.end);
  return {
    ...sandbox,
    ended,
    run: (command, signal) => sandbox.run(command, signal).finally(guard.check),
    async close() {
      await sandbox.close();
      await ended;
    },
  };
}
