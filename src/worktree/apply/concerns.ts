/**
 * What a change touches that takes effect by itself: it runs without being called, or tells tools and agents what to do.
 * The user is asked before such a change is applied. The table is the list in docs/applying.md.
 */
import { posix, relative, resolve } from "node:path";
import type { Concern, ConcernKind } from "../../applying.ts";
import { parseJson } from "../../text/parse-json.ts";
import { isRecord } from "../../values/record.ts";
import { bytesOfPath, type GitPath, gitPaths, nameOf, textOf } from "../git-path.ts";
import { blobsOf, type Scratch } from "../merge/scratch.ts";
import { EXECUTABLE, LINK, type TreeChange } from "../merge/tree-changes.ts";

type ConcernRow = {
  kind: ConcernKind;
  reason: string;
  /** Names of files, in any directory; `*` stands for any characters. */
  files?: readonly string[];
  /** Directories, at any depth, with everything in them. */
  folders?: readonly string[];
};

export const CONCERNS: readonly ConcernRow[] = [
  {
    kind: "hook",
    reason: "git runs it, or what it names, by itself",
    folders: [".husky", ".githooks", ".git-hooks", "githooks", ".lefthook"],
    files: [
      ...[".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml", "lefthook*", ".lefthook*"],
      ...[
        ".overcommit.yml",
        ".lintstagedrc*",
        "lint-staged.config.*",
        ".huskyrc*",
        ".simple-git-hooks.*",
        ".gitconfig",
      ],
    ],
  },
  {
    kind: "ci",
    reason: "CI runs it, often with secrets",
    folders: [
      ...[".github/workflows", ".github/actions", ".gitlab", ".gitlab-ci", ".circleci", ".buildkite", ".ci"],
      ...[".forgejo", ".gitea", ".woodpecker", ".semaphore", ".tekton", ".teamcity", ".harness", ".azure-pipelines"],
    ],
    files: [
      ...[".gitlab-ci*", "Jenkinsfile*", "azure-pipelines*", "bitbucket-pipelines.yml", ".travis.yml", "appveyor.yml"],
      ...[".appveyor.yml", ".drone.yml", ".woodpecker.yml", ".woodpecker.yaml", ".cirrus.yml", "cloudbuild.yaml"],
      ...["buildspec*.yml", "action.yml", "action.yaml"],
    ],
  },
  {
    kind: "script",
    reason: "build and package tools run it, or what it names",
    folders: [".mvn", ".cargo"],
    files: [
      ...[".npmrc", ".yarnrc*", ".pnpmfile.*cjs", "bunfig.toml", "binding.gyp", "Makefile", "GNUmakefile", "*.mk"],
      ...["justfile", ".justfile", "Taskfile*.y*ml", "Rakefile", "setup.py", "pip.conf", "build.rs", "gradlew*"],
      ...["gradle-wrapper.properties", "init.gradle*", "mvnw*", "NuGet.config", "Directory.Build.*", ".bazelrc"],
    ],
  },
  {
    kind: "attributes",
    reason: "git changes, merges and hides files as it says",
    files: [".gitattributes"],
  },
  { kind: "submodule", reason: "git fetches what it names", files: [".gitmodules"] },
  {
    kind: "agent",
    reason: "agents follow it, or run what it names",
    folders: [
      ...[".claude", ".claude-plugin", ".codex", ".cursor", ".opencode", ".gemini", ".qwen", ".kimi", ".windsurf"],
      ...[
        ".continue",
        ".roo",
        ".kilocode",
        ".clinerules",
        ".agents",
        ".agent",
        ".deputy",
        ".aider",
        ".goose",
        ".hermes",
      ],
      ...[".github/instructions", ".github/prompts", ".github/chatmodes", ".github/agents", ".github/skills"],
    ],
    files: [
      ...[
        "AGENTS*.md",
        "AGENT.md",
        "CLAUDE*.md",
        "GEMINI.md",
        "QWEN.md",
        "CRUSH.md",
        "WARP.md",
        "SKILL.md",
        ".mcp.json",
      ],
      ...["mcp.json", "opencode.json*", ".cursorrules", ".windsurfrules", ".clinerules", ".goosehints", ".aider*"],
      ...["copilot-instructions.md", "CONVENTIONS.md"],
    ],
  },
  {
    kind: "editor",
    reason: "editors and containers run what it names",
    folders: [".vscode", ".idea", ".zed", ".fleet", ".devcontainer"],
    files: [
      ...[
        "*.code-workspace",
        ".devcontainer.json",
        ".gitpod.yml",
        ".replit",
        ".exrc",
        ".nvimrc",
        ".nvim.lua",
        ".vimrc",
      ],
      ...[".dir-locals.el", "Vagrantfile"],
    ],
  },
  {
    kind: "environment",
    reason: "shells and tools load it on entering the directory",
    folders: [".direnv", ".mise", ".devbox"],
    files: [
      ".envrc",
      ".env",
      ".env.*",
      "mise.toml",
      ".mise.toml",
      ".mise.*.toml",
      ".tool-versions",
      "flake.nix",
    ].concat(["shell.nix", "devenv.nix", "devbox.json", "sitecustomize.py"]),
  },
];

/** Parts of a `package.json` that package managers run or obey. */
const PACKAGE_PARTS = [
  ...["scripts", "husky", "lint-staged", "simple-git-hooks", "gitHooks", "pre-commit", "packageManager", "pnpm"],
  ...["trustedDependencies", "allowScripts", "devEngines"],
];

type RowMatcher = { kind: ConcernKind; reason: string; pattern: RegExp };

const MATCHERS: readonly RowMatcher[] = CONCERNS.map(({ kind, reason, files = [], folders = [] }) => ({
  kind,
  reason,
  pattern: patternOf(files, folders),
}));

/** File systems may not tell upper and lower case apart. */
function patternOf(files: readonly string[], folders: readonly string[]): RegExp {
  const literal = (text: string) => text.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^/]*");
  const alternatives = [...folders.map((name) => `${literal(name)}/.*`), ...files.map(literal)];
  return new RegExp(`(?:^|/)(?:${alternatives.join("|")})$`, "is");
}

/** The row of the table that a path belongs to. */
export function concernAbout(path: GitPath): Omit<Concern, "path"> | undefined {
  const row = MATCHERS.find(({ pattern }) => pattern.test(textOf(path)));
  return row && { kind: row.kind, reason: row.reason };
}

/** @param hooksFolder of the repository's own config, below its root */
export async function concernsOf(
  scratch: Scratch,
  changes: readonly TreeChange[],
  hooksFolder: GitPath | undefined,
): Promise<Concern[]> {
  const read = changes.flatMap(({ path, before, after }) => {
    if (isPackage(path)) return [before?.id, after?.id];
    return after?.mode === LINK ? [after.id] : [];
  });
  const blobs = await blobsOf(
    scratch,
    read.filter((id) => id !== undefined),
  );
  const textIn = (id: string | undefined) => (id === undefined ? "" : (blobs.get(id)?.toString("utf8") ?? ""));
  return changes.flatMap((change) => {
    const { path, before, after } = change;
    const found = [
      concernAbout(path),
      isPackage(path) ? packageConcern(textIn(before?.id), textIn(after?.id)) : undefined,
      hooksFolder !== undefined && path.startsWith(`${hooksFolder}/`) ? HOOK : undefined,
      after?.mode === EXECUTABLE && before?.mode !== EXECUTABLE ? NEW_EXECUTABLE : undefined,
      after?.mode === LINK ? linkConcern(path, textIn(after.id)) : undefined,
    ];
    const [first] = found.filter((concern) => concern !== undefined);
    return first === undefined ? [] : [{ path: textOf(path), ...first }];
  });
}

/** The directory that `core.hooksPath` names, if it is in the working tree. Deputy's own setting, which is last, is none. */
export async function hooksFolder({ git, repository, signal }: Scratch): Promise<GitPath | undefined> {
  const { root } = repository;
  const said = await git.run(["config", "-z", "--get-all", "core.hooksPath"], { cwd: root }, signal);
  const configured = gitPaths(said.stdout).slice(0, -1).at(-1);
  if (configured === undefined || configured.startsWith("~")) return undefined;
  const path = relative(root, resolve(root, bytesOfPath(configured).toString("utf8")));
  return path === "" || path.startsWith("..") ? undefined : Buffer.from(path).toString("latin1");
}

type PathConcern = Omit<Concern, "path">;

const HOOK: PathConcern = { kind: "hook", reason: "git runs it: core.hooksPath names its directory" };
const NEW_EXECUTABLE: PathConcern = { kind: "executable", reason: "it becomes a program" };

function isPackage(path: GitPath): boolean {
  return nameOf(path).toLowerCase() === "package.json";
}

function packageConcern(before: string, after: string): PathConcern | undefined {
  const [one, other] = [before, after].map((text) => parseJson(text));
  if (after !== "" && !isRecord(other)) return { kind: "script", reason: "it cannot be read as JSON" };
  const changed = PACKAGE_PARTS.filter(
    (part) => JSON.stringify(partOf(one, part)) !== JSON.stringify(partOf(other, part)),
  );
  if (changed.length === 0) return undefined;
  return { kind: "script", reason: `package managers obey its ${changed.join(", ")}` };
}

function partOf(value: unknown, part: string): unknown {
  return isRecord(value) ? value[part] : undefined;
}

/** A link is a concern if it leads out of the repository, or to git's own files. */
function linkConcern(path: GitPath, target: string): PathConcern | undefined {
  const way = posix.join(posix.dirname(textOf(path)), target);
  const leaves = posix.isAbsolute(target) || way === ".." || way.startsWith("../");
  if (!leaves && !/(^|\/)\.git(\/|$)/i.test(way)) return undefined;
  return { kind: "link", reason: `it leads out of the repository, to ${target}` };
}
