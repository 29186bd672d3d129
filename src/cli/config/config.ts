/** `deputy config`: the files in effect, each value and its source, and trust in a project's file. */
import { resolve } from "node:path";
import { Option } from "commander";
import type { ConfigFile } from "../../config/load.ts";
import { DeputyError, errorMessage } from "../../errors.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { CONFIG_OPTION, type Context, type Declare, examples, JSON_OPTION } from "../command.ts";
import { EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { createPaint, type Paint } from "../io.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import { formatValues, valuesOf } from "./config-values.ts";
import type { ImportFlags } from "./import/import.ts";
import type { InitFlags } from "./init.ts";

type ConfigFlags = { json?: true; config?: string };

export const declareConfig: Declare = (command, context) => {
  const { io } = context;
  const paint = createPaint(io.stdout, io.env);
  command.description("Show and set up the configuration.");
  command
    .command("path")
    .description("List the config files in effect, lowest precedence first.")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .action(async (flags: ConfigFlags) => {
      const { findConfigFiles, userConfigPath } = await import("../../config/load.ts");
      const files = findConfigFiles(placeOf(context, flags));
      if (flags.json) io.stdout.write(jsonDocument(files));
      else if (files.length > 0)
        io.stdout.write(files.map((file) => `${wrapFor(io.stdout, fileText(file, paint))}\n`).join(""));
      else io.stdout.write(`No config file. Yours would be ${userConfigPath(io.env)}; none is needed.\n`);
    });
  command
    .command("show")
    .description("Show every value in effect and its source.")
    .option("--set", "only values that are set, without defaults")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText("after", examples([["deputy config show --set", "values from your files and variables"]]))
    .action(async (flags: ConfigFlags & { set?: true }) => {
      const { loadConfig } = await import("../../config/load.ts");
      const loaded = loadConfig(placeOf(context, flags));
      const values = valuesOf(loaded).filter(({ source }) => flags.set === undefined || source !== "default");
      if (flags.json) io.stdout.write(jsonDocument({ values, files: loaded.files, warnings: loaded.warnings }));
      else io.stdout.write(formatValues(values, loaded, paint, io.stdout));
    });
  declareEditing(command, context);
  command
    .command("init")
    .description("Write a commented config, based on the keys found here.")
    .option("-y, --yes", "write the suggested values without asking")
    .option(...FORCE_OPTION)
    .option(...TARGET_OPTION)
    .addHelpText("after", examples([["deputy config init", "ask on a terminal, then print the new config"]]))
    .action(async ({ config, ...flags }: InitFlags & { config?: string }) => {
      const { initConfig } = await import("./init.ts");
      await initConfig(io, placeOf(context, { ...(config && { config }) }), flags);
    });
  command
    .command("import")
    .description("Convert another program's config and print the result, with notes on what was not converted.")
    .argument("[source]", "claude-code, codex, opencode or hermes (default: hermes)")
    .argument("[file]", "its config (default: your own, in its usual place)")
    .option("--write", "write it, readable only by you, instead of printing it")
    .option("--project", "read the project's files instead of yours, and write .deputy/config.yaml")
    .option(...FORCE_OPTION)
    .option(...TARGET_OPTION)
    .addHelpText(
      "after",
      `
From Claude Code, Codex and opencode, permission rules, providers, MCP servers and the default model are converted. A
rule never allows more than it did. Keys are never copied: variables are named. From Hermes, literal keys are copied.
${examples([
  ["deputy config import claude-code", "preview what your settings become"],
  ["deputy config import opencode --project --write", "this project's, as .deputy/config.yaml"],
  ["deputy config import --write", "make Hermes's config yours, including literal keys"],
])}`,
    )
    .action(async (program: string | undefined, file: string | undefined, flags: ImportFlags & { config?: string }) => {
      const { importConfig } = await import("./import/import.ts");
      const words = [program, file].filter((word) => word !== undefined);
      importConfig(io, placeOf(context, flags), words, flags);
    });
  command
    .command("trust")
    .description("Trust the current version of a project's config. An untrusted one can only choose among your routes.")
    .argument("[file]", "the file (default: this project's)")
    .addHelpText(
      "after",
      `
A trusted file may set endpoints, keys and permissions, so read it first; deputy config path shows where it is. When it
(or the .env next to it) changes, it is no longer trusted.`,
    )
    .action(async (file: string | undefined) => {
      const { findConfigFiles } = await import("../../config/load.ts");
      const { stateDir, trustConfig } = await import("../../config/trust.ts");
      const project = findConfigFiles(placeOf(context, {})).find(({ kind }) => kind === "project")?.path;
      const path = file === undefined ? project : resolve(io.cwd, file);
      if (path === undefined) throw new DeputyError("usage", "There is no .deputy/config.yaml here or above.");
      try {
        trustConfig(path, stateDir(io.env));
      } catch (error) {
        throw new DeputyError("input-unreadable", `Cannot trust ${path}: ${errorMessage(error)}`, {
          cause: error,
        });
      }
      io.stdout.write(`Trusted: ${path}\n`);
    });
};

/** The commands that read and change single values, or the file as a whole. */
const declareEditing: Declare = (command, context) => {
  const { io } = context;
  command
    .command("get")
    .description("Print one value in effect, and its source.")
    .argument("<key>", "such as delegation.max_iterations; a map prints all that is in it")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText("after", examples([["deputy config get delegation.max_iterations", "the value alone goes to a pipe"]]))
    .action(async (key: string, flags: ConfigFlags) => {
      const { getConfigValue } = await import("./get.ts");
      if (!getConfigValue(io, placeOf(context, flags), key, flags)) context.exitWith(EXIT_NOT_COMPLETED);
    });
  command
    .command("set")
    .description("Set one value in a config file; its comments and layout stay.")
    .argument("<key>", 'such as models.small, permissions[0].then, permissions[] (a new entry), models."a.b"')
    .argument("<value>", "text, or YAML such as 3, [a, b] or { model: x }; '' unsets the key")
    .addOption(userOption())
    .addOption(projectOption())
    .option(...TARGET_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy config set model glm-4.7", "the default model"],
        ["deputy config set providers.zai.api_key_env MY_KEY", "where a key is"],
        ["deputy config set 'permissions[]' '{ tool: terminal, match: npm test, then: allow }'", "one more rule"],
      ]),
    )
    .action(async (key: string, value: string, flags: EditFlags) => {
      const { setConfigValue } = await import("./set.ts");
      setConfigValue(io, placeOf(context, flags), key, value, flags);
    });
  command
    .command("edit")
    .description("Open a config file in your editor (VISUAL or EDITOR); it is replaced only if the new text is valid.")
    .addOption(userOption())
    .addOption(projectOption())
    .option(...TARGET_OPTION)
    .addHelpText("after", examples([["deputy config edit --project", "this project's config"]]))
    .action(async (flags: EditFlags) => {
      const { editConfig } = await import("./edit.ts");
      await editConfig(io, placeOf(context, flags), flags);
    });
};

type EditFlags = ConfigFlags & { user?: true; project?: true };

/** Flag of the commands that write a config. */
const FORCE_OPTION = ["--force", "replace an existing config; a copy is kept"] as const;
const TARGET_OPTION = ["--config <path>", "write to this path (default: DEPUTY_CONFIG, else your own config)"] as const;

function userOption(): Option {
  return new Option("--user", "your own config, whatever DEPUTY_CONFIG says").conflicts(["project", "config"]);
}

function projectOption(): Option {
  return new Option("--project", "this project's .deputy/config.yaml").conflicts("config");
}

function placeOf({ io }: Context, { config }: ConfigFlags) {
  return { env: io.env, cwd: io.cwd, ...present({ explicitPath: config }) };
}

function fileText({ path, kind, trusted }: ConfigFile, paint: Paint): string {
  const why = { named: "named by --config or DEPUTY_CONFIG", user: "yours", project: "this project's" }[kind];
  const note = trusted
    ? ""
    : `, ${paint("yellow", "not trusted: it can only choose among your routes (deputy config trust)")}`;
  return `${path}  ${paint("dim", why)}${note}`;
}
