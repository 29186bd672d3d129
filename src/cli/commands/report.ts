/** `deputy report`: a run as a document to keep or to send: Markdown, or one HTML file. */
import { resolve } from "node:path";
import { DeputyError, errorMessage } from "../../errors.ts";
import { parseRunId } from "../../run/run.ts";
import { writeWhole } from "../../system/write-whole.ts";
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "../command.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { toHtml } from "../report/html.ts";
import { toMarkdown } from "../report/markdown.ts";
import { reportOn } from "../report/report-document.ts";

type ReportFlags = { last?: true; html?: true; output?: string; config?: string };

export const declareReport: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Write a report on a run: goals, routes, costs, answers and the changes to files.")
    .argument("[id]", "the run's id, or its beginning")
    .option(...LAST_OPTION)
    .option("--html", "one HTML file, without scripts, instead of Markdown")
    .option("-o, --output <file>", "write it to this file instead of standard output")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Changes are those of file tools, as the model wrote them; what commands changed is not included. Words of
models and tasks are escaped: nothing in them takes effect where the report is shown.
${examples([
  ["deputy report --last > report.md", "the newest run as Markdown"],
  ["deputy report 7f3a --html -o report.html", "one HTML file"],
])}`,
    )
    .action((written: string | undefined, flags: ReportFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const id = await whichRun(engine, { id: written, last: flags.last }, io);
        if (parseRunId(id).taskIndex !== undefined)
          throw new DeputyError("usage", `Expected a run; ${id} is one child of it. See deputy show ${id}.`);
        const { run } = await engine.run(id);
        const report = await reportOn(run, engine.events(run.delegationId));
        const text = flags.html ? toHtml(report) : toMarkdown(report);
        if (flags.output === undefined) io.stdout.write(text);
        else writeReport(resolve(io.cwd, flags.output), text);
      }),
    );
};

/** @throws DeputyError `output-unwritable` */
function writeReport(path: string, text: string): void {
  try {
    writeWhole(path, text);
  } catch (error) {
    throw new DeputyError("output-unwritable", `--output: cannot write ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
}
