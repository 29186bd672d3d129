/**
 * The agent programs that `npm run test:agents` runs, as anyone installs them: package, version, and how to ask each
 * one question without a user. Their model is a scripted server on loopback.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ApiMode } from "../../src/route.ts";

export type Place = {
  /** Home directory of the program, empty except for what `prepare` and `deputy mcp install` write there. */
  home: string;
  workspace: string;
  /** Base URL of the program's own model. */
  baseUrl: string;
};

export type Program = {
  package: string;
  version: string;
  /** Its executable, and its name for `deputy mcp install`. */
  command: string;
  installAs: string;
  /** API mode of its own model. */
  apiMode: ApiMode;
  /** Written before `deputy mcp install` adds its entry. */
  prepare(place: Place): void;
  /** Adds a setting that no installer would: calls of this one server need no approval. */
  args(question: string, place: Place): string[];
  env(place: Place): Record<string, string>;
};

export const PARENT_KEY = "key-of-the-parent-0001";

export const PROGRAMS: readonly Program[] = [
  {
    package: "opencode-ai",
    version: "1.18.33",
    command: "opencode",
    installAs: "opencode",
    apiMode: "chat_completions",
    prepare({ home, baseUrl }) {
      const folder = join(home, ".config", "opencode");
      mkdirSync(folder, { recursive: true });
      const config = {
        model: "scripted/parent",
        small_model: "scripted/parent",
        autoupdate: false,
        share: "disabled",
        provider: {
          scripted: {
            npm: "@ai-sdk/openai-compatible",
            name: "Scripted",
            options: { baseURL: baseUrl, apiKey: PARENT_KEY },
            models: { parent: { name: "parent", tool_call: true, limit: { context: 200_000, output: 8_000 } } },
          },
        },
      };
      writeFileSync(join(folder, "opencode.json"), JSON.stringify(config, null, 2));
    },
    args: (question) => ["run", question],
    env: () => ({}),
  },
  {
    package: "@openai/codex",
    version: "0.169.0",
    command: "codex",
    installAs: "codex",
    apiMode: "responses",
    prepare({ home, baseUrl }) {
      const folder = join(home, ".codex");
      mkdirSync(folder, { recursive: true });
      const config = [
        'model = "parent"',
        'model_provider = "scripted"',
        "[model_providers.scripted]",
        'name = "Scripted"',
        `base_url = ${JSON.stringify(baseUrl)}`,
        'wire_api = "responses"',
        'env_key = "PARENT_KEY"',
      ];
      writeFileSync(join(folder, "config.toml"), `${config.join("\n")}\n`);
    },
    args: (question) => ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", question],
    env: () => ({ PARENT_KEY }),
  },
  {
    package: "@anthropic-ai/claude-code",
    version: "2.1.329",
    command: "claude",
    installAs: "claude-code",
    apiMode: "anthropic_messages",
    prepare() {},
    args: (question) => ["-p", question, "--allowedTools", "mcp__deputy"],
    env: ({ baseUrl }) => ({
      ANTHROPIC_BASE_URL: baseUrl.replace(/\/v1$/, ""),
      ANTHROPIC_API_KEY: PARENT_KEY,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    }),
  },
];
