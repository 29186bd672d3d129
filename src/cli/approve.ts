/** `deputy approve`: what children of this user's runs wait to be allowed, and the answer to it, from any terminal. */
import type { Answered, Question } from "../engine/engine.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "./command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "./exit-codes.ts";
import { formatDuration } from "./format.ts";
import { createPaint, type Io, type Paint } from "./io.ts";
import { fit, oneLine, spelledLines } from "./terminal-text.ts";

type ApproveFlags = { deny?: true; reason?: string; call?: string; json?: true; config?: string };

/** Columns that a goal may take where the terminal does not tell its width. */
const COLUMNS = 100;

export const declareApprove: Declare = (command, context) => {
  const { io } = context;
  command
    .description("List what children wait to be allowed, in any process of yours; with an id, allow or deny it.")
    .argument("[id]", "a child, ID.n; or a run that asks one thing")
    .option("--deny", "say no")
    .option("--reason <text>", "what the child is told")
    .option("--call <callid>", "which one, where a child asks several things")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
A question waits here while deputy run is at a terminal, or was started with --wait-for-approval, or belongs to a
program that lets others answer. The first answer counts; after delegation.approval_timeout_seconds it is no.

Exit codes: 0 the answer counted · 1 the question was not open any more.
${examples([
  ["deputy approve", "what waits, and exactly what would run"],
  ["deputy approve 7f3a.2", "allow it, this once"],
  ['deputy approve 7f3a.2 --deny --reason "use pnpm"', "deny it, and say why"],
])}`,
    )
    .action((id: string | undefined, flags: ApproveFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        if (id === undefined) {
          const open = engine.questions();
          io.stdout.write(flags.json ? asJson(open.map(questionDocument)) : formatQuestions(open, io));
          return;
        }
        const allowed = flags.deny === undefined;
        const reason = flags.reason ?? `${allowed ? "allowed" : "denied"} with deputy approve`;
        const callId = flags.call === undefined ? {} : { callId: flags.call };
        const answered = await engine.answer({ id, ...callId, allowed, reason, by: "deputy approve" });
        if (flags.json) io.stdout.write(asJson(answerDocument(answered)));
        else io.stdout.write(formatAnswered(answered, allowed, createPaint(io.stdout, io.env)));
        context.exitWith(answered.counted ? EXIT_COMPLETED : EXIT_NOT_COMPLETED);
      }),
    );
};

function asJson(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

function questionDocument({ childId, callId, goal, toolName, target, askedAt, answerBy }: Question) {
  return {
    child_id: childId,
    call_id: callId,
    goal,
    tool: toolName,
    target,
    asked_at: new Date(askedAt).toISOString(),
    answer_by: answerBy === undefined ? null : new Date(answerBy).toISOString(),
  };
}

function answerDocument({ question: { childId, callId }, counted, end }: Answered) {
  return { child_id: childId, call_id: callId, counted, ended_by: end ?? null };
}

export function formatQuestions(questions: Question[], io: Io): string {
  if (questions.length === 0) return "No child waits to be allowed anything.\n";
  const paint = createPaint(io.stdout, io.env);
  const columns = io.stdout.columns ?? COLUMNS;
  const now = io.clock.now();
  const several = (childId: string) => questions.filter((other) => other.childId === childId).length > 1;
  return questions
    .map((question) => {
      const { childId, callId, askedAt, answerBy } = question;
      const since = `waits ${formatDuration((now - askedAt) / 1000)}`;
      const left = answerBy === undefined ? "" : `, ${formatDuration(Math.max(0, answerBy - now) / 1000)} left`;
      const answer = `deputy approve ${childId}${several(childId) ? ` --call ${oneLine(callId)}` : ""}`;
      return [
        `${paint("yellow", "?")} ${paint("bold", childId)} ${paint("dim", `${since}${left}`)}`,
        `  ${fit(oneLine(question.goal), Math.max(20, columns - 2))}`,
        ...whatWouldRun(question, paint),
        `  ${paint("dim", answer)}\n`,
      ].join("\n");
    })
    .join("\n");
}

/** The tool, and everything it would be given, with whatever could hide spelled out. */
function whatWouldRun({ toolName, target }: Question, paint: Paint): string[] {
  const lines = spelledLines(target).map((line) => `  ${paint("yellow", "│")} ${line}`);
  return [`  asks to run ${paint("bold", oneLine(toolName))}:`, ...lines];
}

export function formatAnswered({ question, counted, end }: Answered, allowed: boolean, paint: Paint): string {
  const { childId } = question;
  if (counted) {
    const lines = whatWouldRun(question, paint).slice(1);
    return `${allowed ? "Allowed" : "Denied"}: ${childId}, ${oneLine(question.toolName)}\n${lines.join("\n")}\n`;
  }
  if (end === undefined) return `Too late: ${childId} does not ask any more. See deputy show ${childId}.\n`;
  return `Too late: it was ${end.allowed ? "allowed" : "denied"} already (${oneLine(end.by)}: ${oneLine(end.reason)}).\n`;
}
