/** `deputy schema`: prints the JSON Schema of a task file or of the config, for editors. */
import { Argument } from "commander";
import { configJsonSchema } from "../../config-schema.ts";
import { taskFileJsonSchema } from "../../task.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { type Declare, examples } from "../command.ts";

const SCHEMAS = { task: taskFileJsonSchema, config: configJsonSchema };

const HELP = `
An editor completes and checks a YAML file whose first line names its schema:

  # yaml-language-server: $schema=./deputy-task.schema.json

A schema accepts what Deputy documents. Deputy itself also accepts other spellings, such as numbers as text.`;

export const declareSchema: Declare = (command, { io }) => {
  command
    .description("Print the JSON Schema of a task file or of the config, for editors.")
    .addArgument(new Argument("[document]", "which schema").choices(Object.keys(SCHEMAS)).default("task"))
    .addHelpText(
      "after",
      `${HELP}\n${examples([
        ["deputy schema > deputy-task.schema.json", "for task files"],
        ["deputy schema config > deputy-config.schema.json", "for config.yaml"],
      ])}`,
    )
    .action((document: keyof typeof SCHEMAS) => {
      io.stdout.write(jsonDocument(SCHEMAS[document]()));
    });
};
