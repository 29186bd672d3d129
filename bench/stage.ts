/** Folders laid out like the installed package: the executable and `dist/`, without the source. */
import { execFileSync } from "node:child_process";
import { cp, mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");

export type Stage = { folder: string; remove(): Promise<void> };

/** @param checkout a checkout of Deputy with its `dist/` */
export async function stageOf(checkout: string = root): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "deputy-package-"));
  await mkdir(join(folder, "bin"));
  await cp(join(checkout, "bin", "deputy.mjs"), join(folder, "bin", "deputy.mjs"));
  await symlink(join(checkout, "dist"), join(folder, "dist"));
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** Builds a commit in a checkout of its own, with the packages that are installed here. */
export async function stageOfCommit(commit: string): Promise<Stage> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "deputy-commit-")));
  const checkout = join(folder, "checkout");
  const git = (...args: string[]) => execFileSync("git", args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  const remove = async () => {
    await rm(folder, { recursive: true, force: true });
    git("worktree", "prune");
  };
  try {
    git("worktree", "add", "--detach", checkout, commit);
    await symlink(join(root, "node_modules"), join(checkout, "node_modules"));
    execFileSync(join(root, "node_modules", ".bin", "tsc"), ["-p", "tsconfig.build.json"], { cwd: checkout });
    const stage = await stageOf(checkout);
    const removeBoth = async () => {
      await stage.remove();
      await remove();
    };
    return { folder: stage.folder, remove: removeBoth };
  } catch (error) {
    await remove();
    throw error;
  }
}
