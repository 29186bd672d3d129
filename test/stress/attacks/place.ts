// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how a config names a variable.
/**
 * A random place to attack from: a home, a workspace with files and links of every kind, Deputy's own files inside or
 * outside of it, and secrets in all of them.
 */

import { spawnSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import type { Canary } from "./detectors.ts";
import { type Draw, newToken } from "./draw.ts";

/**
 * Location of Deputy's own files: next to the workspace, in it because it is the home, or in it because config and
 * state say so.
 */
const LAYOUTS = ["apart", "home", "inside"] as const;

/** The runtime's cache, shared by all rounds; if the home is the workspace, it lies in the workspace. */
const CACHE = join(tmpdir(), "deputy-stress", "cache");

export type Place = {
  layout: (typeof LAYOUTS)[number];
  root: string;
  home: string;
  workspace: string;
  /** A directory that no child may reach. */
  outside: string;
  state: string;
  config: string;
  /** Names a config in an unusual place. */
  configOptions: string[];
  output: string;
  /** Directory in which each command leaves a file with its name. */
  marks: string;
  env: Record<string, string>;
  /** Name and value of the model provider's key. */
  key: { variable: string; value: string };
  /** Everything that must not leak. */
  canaries: Canary[];
  /** Files that belong to Deputy. */
  own: string[];
  /** Files outside, each with a secret. */
  secrets: string[];
  remove(): void;
};

export function createPlace(draw: Draw): Place {
  const layout = draw.pick(LAYOUTS);
  const root = mkdtempSync(join(tmpdir(), "deputy-attack-"));
  const home = join(root, "home");
  const workspace = layout === "home" ? home : join(home, draw.pick(["project", "my project", "próject", "a/b/c"]));
  const state =
    layout === "inside" ? join(workspace, draw.pick(["state", ".state/deputy"])) : join(home, ".local/state/deputy");
  const config = layout === "inside" ? join(workspace, "deputy.yaml") : join(home, ".config/deputy/config.yaml");
  const place: Place = {
    layout,
    root,
    home,
    workspace,
    outside: join(root, "outside"),
    state,
    config,
    configOptions: layout === "inside" ? ["--config", config] : [],
    output: join(root, "output"),
    marks: join(root, "marks"),
    env: {
      HOME: home,
      LANG: "C.UTF-8",
      NO_COLOR: "1",
      ...(layout === "inside" && { DEPUTY_STATE_DIR: state }),
    },
    key: { variable: secretName(draw), value: `sk-${newToken()}` },
    canaries: [],
    own: [],
    secrets: [],
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }),
  };
  for (const path of [CACHE, workspace, place.outside, state, dirname(config), place.marks])
    mkdirSync(path, { recursive: true });
  plantSecrets(place, draw);
  fillWorkspace(place, draw);
  return place;
}

/** Creates a text that must not leak. */
export function plant({ canaries }: Place, kind: Canary["kind"], name: string): string {
  const value = newToken();
  canaries.push({ kind, name, value });
  return value;
}

const STEMS = ["LAB", "GITHUB", "AWS", "DB", "MY", "PG", "ANTHROPIC", "npm_config", "X", "CI_DEPLOY"];
const ENDS = [
  "API_KEY",
  "KEY",
  "ACCESS_KEY_ID",
  "TOKEN",
  "TOKENS",
  "SECRET",
  "SECRETS",
  "PASSWORD",
  "PWD",
  "PASSPHRASE",
];

/** Typical names of variables with a secret. */
export function secretName(draw: Draw): string {
  if (draw.chance(0.3))
    return draw.pick(["PGPASSWORD", "AWS_ACCESS_KEY_ID", "ANTHROPIC_API_KEY_2", "DB_PWD", "MY_SECRETS"]);
  return `${draw.pick(STEMS)}_${draw.pick(ENDS)}${draw.pick(["", "", "_2", "_OLD", "_PROD"])}`;
}

function plantSecrets(place: Place, draw: Draw): void {
  const { env, key, workspace, outside, state, config, own, secrets, canaries } = place;
  for (let count = draw.whole(1, 4); count > 0; count--) {
    const name = secretName(draw);
    if (name === key.variable || name in env) continue;
    env[name] = plant(place, "key", `the variable ${name}`);
  }
  env[key.variable] = key.value;
  canaries.push({ kind: "key", name: "the provider's key", value: key.value });
  for (const name of ["id_rsa", "passwords.txt", "deep/er/credentials.json"]) {
    const path = join(outside, name);
    write(path, `${plant(place, "escape", `the file ${name} outside`)}\n`);
    secrets.push(path);
  }
  // A name that appears nowhere else.
  write(join(outside, `${plant(place, "escape", "a name outside")}.txt`), "");
  const dotenv = join(dirname(config), ".env");
  write(dotenv, `LAB_SPARE_KEY=${plant(place, "key", "the .env beside the config")}\n`);
  const token = join(state, "token");
  write(token, `${plant(place, "escape", "the server's token")}\n`);
  own.push(config, dotenv, token, join(workspace, ".deputy"));
  if (place.layout !== "home") return void symlinkSync(CACHE, join(place.home, ".cache"));
  const cached = join(place.home, ".cache/deputy/compile/planted");
  write(cached, "compiled\n");
  own.push(cached);
}

function fillWorkspace(place: Place, draw: Draw): void {
  const { workspace, outside } = place;
  const folders = ["", "src", "src/deep", "docs", "ünïcode", ".hidden"];
  for (let count = draw.whole(3, 12); count > 0; count--) {
    const name = draw.pick(["a.txt", "b.ts", "notes.md", "with space.txt", "é.txt", "-rf", "[x].txt"]);
    write(join(workspace, draw.pick(folders), name), `line of ${name}\n`.repeat(draw.whole(1, 50)));
  }
  for (const kind of draw.some(Object.keys(PLANTS), draw.whole(1, 4))) {
    putPlant(place, join(workspace, draw.pick(folders), `planted-${draw.whole(1, 9)}`), kind, draw);
  }
  if (draw.chance(0.5)) symlinkSync(outside, join(workspace, "link-out"));
  const git = join(workspace, ".git");
  const kind = draw.pick(["folder", "file", "link", "none"]);
  if (kind === "folder") write(join(git, "config"), "[core]\n\tbare = false\n");
  if (kind === "file") writeFileSync(git, `gitdir: ${outside}\n`);
  if (kind === "link") symlinkSync(outside, git);
}

/** Everything that can be in place of a file. None of it may be read or block. */
const PLANTS: Record<string, (path: string, secret: string, place: Place) => void> = {
  "a link": (path, secret) => symlinkSync(secret, path),
  "a relative link": (path, secret) => symlinkSync(relative(dirname(path), secret), path),
  "a link to a link": (path, secret) => {
    symlinkSync(secret, `${path}.first`);
    symlinkSync(`${path}.first`, path);
  },
  "a link through a folder": (path, secret) => {
    symlinkSync(dirname(secret), `${path}.folder`);
    symlinkSync(join(`${path}.folder`, relative(dirname(secret), secret)), path);
  },
  "a link to the config's .env": (path, _, { config }) => symlinkSync(join(dirname(config), ".env"), path),
  "a link to the config": (path, _, { config }) => symlinkSync(config, path),
  "a link to the environment": (path) => symlinkSync("/proc/self/environ", path),
  "a link to itself": (path) => symlinkSync(path, path),
  "a link to endless zeros": (path) => symlinkSync("/dev/zero", path),
  "a link to the terminal": (path) => symlinkSync("/dev/tty", path),
  "a link to standard input": (path) => symlinkSync("/dev/stdin", path),
  "a pipe": (path) => makePipe(path),
  "a link to a pipe": (path) => {
    makePipe(`${path}.pipe`);
    symlinkSync(`${path}.pipe`, path);
  },
  "a device": (path) => void spawnSync("/bin/sh", ["-c", 'mknod "$0" c 1 5', path]), // Needs root; otherwise there is nothing.
  "a folder": (path) => mkdirSync(path, { recursive: true }),
  "a large file": (path) => {
    writeFileSync(path, "");
    truncateSync(path, 3 * 2 ** 30);
  },
  "a hard link to the config's .env": (path, _, { config }) => linkSync(join(dirname(config), ".env"), path),
};

export const PLANT_KINDS: readonly string[] = Object.keys(PLANTS);

/** Puts it there, replacing what exists. */
export function putPlant(place: Place, path: string, kind: string, draw: Draw): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { recursive: true, force: true });
  for (const helper of ["first", "folder", "pipe"]) rmSync(`${path}.${helper}`, { force: true });
  PLANTS[kind]?.(path, draw.pick(place.secrets), place);
}

function makePipe(path: string): void {
  spawnSync("/bin/sh", ["-c", 'mkfifo "$0"', path]);
}

export function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
