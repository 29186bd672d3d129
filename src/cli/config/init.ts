/**
 * `deputy config init`: writes a first config from the keys that are found. It sets a provider, a model and tiers, and
 * its comments explain the rest. On a terminal it asks, with its choice as the default.
 */
import { stringify } from "yaml";
import { dotenvBeside } from "../../config/config-texts.ts";
import { type ConfigPlace, writtenConfigPath } from "../../config/load.ts";
import { stateDir } from "../../config/trust.ts";
import { configSchema } from "../../config-schema.ts";
import { DeputyError } from "../../errors.ts";
import { readListCache } from "../../routing/catalog/list-cache.ts";
import { defaultModelOf, type Provider } from "../../routing/catalog/providers.ts";
import { suggestTiers, type Tiers } from "../../routing/catalog/tiers.ts";
import { createRouting, type Routing } from "../../routing/routing.ts";
import { present } from "../../values/present.ts";
import { answersFrom } from "../approvals/question.ts";
import type { Io } from "../io.ts";
import { oneLine } from "../terminal/terminal-text.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import { modelDoubt } from "./model-doubts.ts";
import { refuseToOverwrite, writeConfig } from "./write-config.ts";

export type InitFlags = { yes?: true; force?: true };

/** A provider with a key, and the key's variable. */
type FoundProvider = { provider: Provider; keyName?: string };
type Choices = { provider: string; model?: string; tiers: Tiers };

const TIERS = ["small", "medium", "large"] as const;

/** @throws DeputyError `usage` if a config exists, or the input ends; `output-unwritable` */
export async function initConfig(io: Io, place: ConfigPlace, flags: InitFlags): Promise<void> {
  const { path, text, backup, hasKey } = await createConfig(io, place, flags);
  io.stdout.write(`${text}\nWritten to ${path}.${backup === undefined ? "" : ` The previous file is ${backup}.`}\n`);
  io.stdout.write(
    hasKey ? 'Next: deputy doctor --online, then deputy run --goal "Explain what this project does"\n' : NO_KEY,
  );
}

export const NO_KEY = "No provider has a key yet. Set one (for example ANTHROPIC_API_KEY), then: deputy doctor\n";

type CreatedConfig = { path: string; text: string; backup: string | undefined; hasKey: boolean };

/** Writes the config without showing it. @throws DeputyError as `initConfig` */
export async function createConfig(io: Io, place: ConfigPlace, { yes, force }: InitFlags): Promise<CreatedConfig> {
  const path = writtenConfigPath(place);
  refuseToOverwrite(path, force);
  const routing = createRouting({
    config: configSchema.parse({}),
    env: { ...dotenvBeside(path), ...io.env },
    lists: readListCache(stateDir(io.env)),
  });
  const found = routing.credentials.usable().map((provider) => foundOf(provider, routing));
  const [first] = found;
  const isAsking = io.stdin.isTTY === true && io.stdout.isTTY === true && !yes;
  const suggested = first && choicesFor(first.provider, routing);
  const chosen = suggested && isAsking ? await ask(io, found, routing) : suggested;
  const text = configText(found, chosen);
  return { path, text, backup: writeConfig(path, text), hasKey: first !== undefined };
}

function foundOf(provider: Provider, { credentials }: Routing): FoundProvider {
  const answer = credentials.find(provider);
  const [key] = "connection" in answer ? answer.connection.keys : [];
  return { provider, ...present({ keyName: key?.name }) };
}

function choicesFor(provider: Provider, { catalog }: Routing): Choices {
  const model = defaultModelOf(provider);
  return { provider: provider.slug, ...(model && { model }), tiers: suggestTiers(provider, catalog) };
}

// Questions -----------------------------------------------------------------------------------------------------------

async function ask(io: Io, found: FoundProvider[], routing: Routing): Promise<Choices> {
  const readAnswer = answersFrom(io, io.stdout);
  const { signal } = new AbortController();
  async function answerTo(question: string, otherwise: string): Promise<string> {
    const line = await readAnswer(`${question}${otherwise === "" ? "" : ` [${otherwise}]`}: `, signal);
    if (line === undefined)
      throw new DeputyError("usage", "The input ended before the last question; nothing was written.");
    return line.trim() === "" ? otherwise : line.trim();
  }
  const slugs = found.map(({ provider }) => provider.slug);
  let provider = slugs.length === 1 ? slugs[0] : undefined;
  while (provider === undefined || !slugs.includes(provider))
    provider = await answerTo(`Provider (${slugs.join(", ")})`, slugs[0] ?? "");
  const suggested = choicesFor(found[slugs.indexOf(provider)]?.provider as Provider, routing);
  const chosen = provider;

  /** Asks until the answer is a model that can run; one that Deputy does not know must be given twice. */
  async function modelFor(question: string, otherwise = "-"): Promise<string | undefined> {
    let doubted: string | undefined;
    for (;;) {
      const answer = await answerTo(`${question} (- for none)`, otherwise);
      if (answer === "-") return undefined;
      const doubt = modelDoubt({ model: answer }, routing, { cwd: io.cwd, parent: { provider: chosen } });
      if (doubt === undefined || ("warning" in doubt && doubted === answer)) return answer;
      doubted = answer;
      const more = "warning" in doubt ? " Enter it again to use it anyway." : "";
      const { message } = "warning" in doubt ? doubt.warning : doubt.problem;
      io.stdout.write(`${wrapFor(io.stdout, `! ${oneLine(message)}${more}`)}\n`);
    }
  }

  const model = await modelFor("Default model for tasks", suggested.model);
  const tiers: Tiers = {};
  for (const tier of TIERS) {
    const answer = await modelFor(`Model for \`model: ${tier}\``, suggested.tiers[tier]);
    if (answer !== undefined) tiers[tier] = answer;
  }
  return { provider, ...present({ model }), tiers };
}

// The file ------------------------------------------------------------------------------------------------------------

function configText(found: FoundProvider[], chosen: Choices | undefined): string {
  return [HEAD, parentText(chosen), tiersText(chosen), providersText(found), DELEGATION].join("\n");
}

const HEAD = `# Deputy's configuration. \`deputy config show\` shows the values in effect, \`deputy doctor\` checks them.
# It contains no keys: they stay in your environment or in a .env next to this file.
`;

/** A line of the file, or a commented example if nothing was chosen. */
function line(indent: string, key: string, value: string | undefined, example: string): string {
  return value === undefined ? `${indent}# ${key}: ${example}\n` : `${indent}${stringify({ [key]: value })}`;
}

function parentText(chosen: Choices | undefined): string {
  return `# Defaults for tasks without a model or provider.
${line("", "provider", chosen?.provider, "anthropic")}${line("", "model", chosen?.model, "claude-sonnet-5")}\
# reasoning_effort: medium            # none, minimal, low, medium, high, xhigh or max
`;
}

function tiersText(chosen: Choices | undefined): string {
  const lines = TIERS.map((tier) => {
    const model = chosen?.tiers[tier];
    const written = model?.includes("--provider") ? model : model && `${model} --provider ${chosen?.provider}`;
    return line("  ", tier, written, "some-model --provider some-provider");
  });
  const isEmpty = TIERS.every((tier) => chosen?.tiers[tier] === undefined);
  return `# Model aliases, used in a task as \`model: small\`. Any name works; these were suggested by price.
${isEmpty ? "# " : ""}models:
${lines.join("")}  # careful: { model: large, reasoning_effort: high, fallbacks: [medium] }
`;
}

function providersText(found: FoundProvider[]): string {
  const widest = Math.max(0, ...found.map(({ provider }) => provider.slug.length));
  const lines = found.map(
    ({ provider, keyName }) => `#   ${provider.slug.padEnd(widest)}  ${keyName ?? "no key needed"}`,
  );
  const list = lines.length === 0 ? ["#   none"] : lines;
  return `# Built-in providers only need their key in the environment. Found today:
${list.join("\n")}
# Custom endpoints need an entry:
# providers:
#   mylab:
#     base_url: http://127.0.0.1:8000/v1
#     api_key_env: MYLAB_API_KEY        # omit if no key is needed
#     default_model: qwen3
#     max_concurrent: 4
`;
}

const DELEGATION = `# Settings for children.
delegation:
  max_concurrent_children: 10
  # model: small                      # their default model; otherwise as above
  # max_cost_usd: 5                   # for one run
  # fallbacks: [medium]               # only if a model fails; the result says so

# Rules for tool calls: the first match decides; other calls need approval.
# permissions:
#   - { tool: terminal, match: "npm test", then: allow }
#   - { tool: terminal, match: "rm *", then: deny }
`;
