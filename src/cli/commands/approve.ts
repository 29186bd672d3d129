/** `deputy approve`: lists pending approval requests of this user's runs, and answers them from any terminal. */
import type { Answered, Engine, Question, Which } from "../../engine/engine.ts";
import { DeputyError } from "../../errors.ts";
import { jsonDocument } from "../../text/printed-json.ts";
import { present } from "../../values/present.ts";
import { requestLines, targetLines, wrapRequest } from "../approvals/approval-prompt.ts";
import { agreed } from "../approvals/question.ts";
import { openShownRequests } from "../approvals/shown-requests.ts";
import { userOf } from "../approvals/user.ts";
import { CONFIG_OPTION, type Declare, examples, JSON_OPTION, withDeputy } from "../command.ts";
import { EXIT_COMPLETED, EXIT_NOT_COMPLETED } from "../exit-codes.ts";
import { LAST_OPTION, whichRun } from "../input/which-run.ts";
import { createPaint, type Io, type Paint } from "../io.ts";
import { formatDuration, plural } from "../terminal/format.ts";
import { fit, oneLine } from "../terminal/terminal-text.ts";
import { columnsOf, wrapFor } from "../terminal/word-wrap.ts";

type ApproveFlags = {
  all?: true;
  last?: true;
  deny?: true;
  yes?: true;
  reason?: string;
  call?: string;
  request?: string;
  json?: true;
  config?: string;
};

export const declareApprove: Declare = (command, context) => {
  const { io } = context;
  command
    .description("List the pending approval requests of all your processes, or approve or deny one.")
    .argument("[id]", "a child (ID.n), or a run with one pending request")
    .option("--all", "decide on all requests that are pending now, shown first")
    .option(...LAST_OPTION)
    .option("--deny", "deny the request")
    .option("--reason <text>", "reason to send to the child")
    .option("--request <code>", "decide on exactly this request")
    .option("--call <callid>", "which request, if the child has several")
    .option("-y, --yes", "at a terminal: approve a request that was not listed before, without confirmation")
    .option(...JSON_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Requests wait here if deputy run has a terminal or was started with --wait-for-approval, or if the program that started
the run accepts decisions from elsewhere. The first decision counts. After delegation.approval_timeout_seconds, the
request is denied.

Each request has a code; --request decides on exactly that one. Without it, the decision applies to the request that was
listed last. If the child has a different request by then, nothing is decided and the new request is shown.

With --all at a terminal, the pending requests are shown, and a yes approves exactly these. In a script or with -y, --all
approves those that were listed before. Any other request stays open.

Exit codes: 0 decided · 1 not decided: the request was no longer open, or was not the one shown.
${examples([
  ["deputy approve", "list the requests and exactly what would run"],
  ["deputy approve 7f3a.2", "approve the listed request of this child, once"],
  ["deputy approve 7f3a.2 --request 3f9a2b1c04de", "approve exactly this request"],
  ["deputy approve --all", "show all requests, then approve exactly these"],
  ['deputy approve 7f3a.2 --deny --reason "use pnpm"', "deny it with a reason"],
])}`,
    )
    .action((written: string | undefined, flags: ApproveFlags) =>
      withDeputy(context, flags.config, async ({ engine }) => {
        const id = flags.last ? await whichRun(engine, { id: written, last: true }, io) : written;
        if (flags.all) return context.exitWith(await answerAll(engine, id, flags, io));
        if (id !== undefined) return context.exitWith(await answerRequest(engine, { ...flags, id }, io));
        checkOnlyLists(flags);
        const open = await engine.questions();
        io.stdout.write(flags.json ? jsonDocument(open.map(requestDocument)) : formatRequests(open, io));
        openShownRequests(io).add(open);
      }),
    );
};

/** @throws DeputyError for a decision that names no request: a list with exit code 0 would look like one */
function checkOnlyLists(flags: ApproveFlags): void {
  const given = (["deny", "yes", "reason", "request", "call"] as const).find((flag) => flags[flag] !== undefined);
  if (given === undefined) return;
  throw new DeputyError(
    "usage",
    `Expected the child whose request --${given} is about, as in deputy approve ID.2 --${given}, or --all; found neither. Nothing was decided.`,
  );
}

async function answerRequest(engine: Engine, { id, ...flags }: ApproveFlags & { id: string }, io: Io) {
  const question = await engine.question(whichOf(id, flags));
  const state = flags.request === undefined ? openShownRequests(io).stateOf(question, id) : "listed";
  if (state === "replaced") return showReplacement(question, flags, io);
  const allowed = flags.deny === undefined;
  if (state === "unlisted" && !(await isMeant(question, allowed && !flags.yes, io))) {
    io.stdout.write("Nothing was decided.\n");
    return EXIT_NOT_COMPLETED;
  }
  const reason = flags.reason ?? `${allowed ? "allowed" : "denied"} with deputy approve`;
  const { childId, request } = question;
  const answered = await engine.answer({ id: childId, request, allowed, reason, by: userOf("deputy approve") });
  if (flags.json) io.stdout.write(jsonDocument(decisionDocument(answered)));
  else writeDecisions([answered], allowed, io);
  return answered.counted ? EXIT_COMPLETED : EXIT_NOT_COMPLETED;
}

/** Answers exactly the requests that are shown, each by its code; what is requested meanwhile stays open. */
async function answerAll(engine: Engine, id: string | undefined, flags: ApproveFlags, io: Io): Promise<number> {
  if (id !== undefined || flags.call !== undefined || flags.request !== undefined)
    throw new DeputyError(
      "usage",
      "Expected --all alone, or one request: with an id, --call or --request; found both.",
    );
  const open = await engine.questions();
  const allowed = flags.deny === undefined;
  const isAsked = allowed && !flags.yes && io.stdin.isTTY === true && io.stdout.isTTY === true;
  const shown = openShownRequests(io);
  const isListed = (question: Question) => shown.stateOf(question, question.childId) === "listed";
  const chosen = !allowed || isAsked ? open : open.filter(isListed);
  if (isAsked || chosen.length < open.length || open.length === 0) io.stderr.write(formatRequests(open, io, io.stderr));
  shown.add(open);
  if (isAsked && open.length > 0 && !(await agreed(io, io.stderr, `Allow ${plural(open.length, "request")}?`))) {
    io.stdout.write("Nothing was decided.\n");
    return EXIT_NOT_COMPLETED;
  }
  const answers: Answered[] = [];
  for (const { childId, request } of chosen) {
    const reason = flags.reason ?? `${allowed ? "allowed" : "denied"} with deputy approve --all`;
    const decision = { allowed, reason, by: userOf("deputy approve") };
    const answered = await engine.answer({ id: childId, request, ...decision }).catch(closedMeanwhile);
    if (answered !== undefined) answers.push(answered);
  }
  if (flags.json) io.stdout.write(jsonDocument(answers.map(decisionDocument)));
  else writeDecisions(answers, allowed, io);
  const decided = answers.filter(({ counted }) => counted).length;
  const next = chosen.length < open.length ? " To decide on what is listed above, run the same command again." : "";
  if (decided < open.length)
    io.stderr.write(`deputy: ${plural(open.length - decided, "request")} not decided.${next}\n`);
  return decided === open.length ? EXIT_COMPLETED : EXIT_NOT_COMPLETED;
}

/** Somebody else has decided on it, or its child has a different request now. */
function closedMeanwhile(error: unknown): undefined {
  if (!(error instanceof DeputyError && error.code === "question-closed")) throw error;
}

function whichOf(id: string, { call, request }: ApproveFlags): Which {
  return { id, ...present({ callId: call, request }) };
}

/** Shows a request in full if it was never listed; at a terminal, allowing it then takes a yes. */
async function isMeant(question: Question, asks: boolean, io: Io): Promise<boolean> {
  const { stdin, stdout, stderr } = io;
  stderr.write(formatRequests([question], io, stderr));
  return !asks || stdin.isTTY !== true || stdout.isTTY !== true || agreed(io, stderr, "Allow it?");
}

/** Shows the child's current request, which differs from the listed one, and answers nothing. */
function showReplacement(question: Question, { json }: ApproveFlags, io: Io): number {
  const unanswered = { question, counted: false, end: undefined };
  if (json) io.stdout.write(jsonDocument({ ...decisionDocument(unanswered), pending: requestDocument(question) }));
  else io.stdout.write(formatRequests([question], io));
  openShownRequests(io).add([question]);
  const replaced =
    `deputy: Nothing was decided: ${question.childId} has a different request now, shown above. ` +
    "Run the command again to decide on this request.\n";
  io.stderr.write(wrapFor(io.stderr, replaced));
  return EXIT_NOT_COMPLETED;
}

function requestDocument({ childId, callId, request, goal, toolName, target, directory, ...times }: Question) {
  const { askedAt, answerBy } = times;
  return {
    child_id: childId,
    call_id: callId,
    request,
    goal,
    tool: toolName,
    target,
    directory,
    asked_at: new Date(askedAt).toISOString(),
    answer_by: answerBy === undefined ? null : new Date(answerBy).toISOString(),
  };
}

function decisionDocument({ question: { childId, callId, request }, counted, end }: Answered) {
  return { child_id: childId, call_id: callId, request, counted, ended_by: end ?? null };
}

export function formatRequests(questions: Question[], io: Io, output = io.stdout): string {
  if (questions.length === 0) return "No approval requests are pending.\n";
  const paint = createPaint(output, io.env);
  const columns = columnsOf(output);
  const now = io.clock.now();
  return questions
    .map((question) => {
      const { childId, request, askedAt, answerBy } = question;
      const since = `waits ${formatDuration((now - askedAt) / 1000)}`;
      const left = answerBy === undefined ? "" : `, ${formatDuration(Math.max(0, answerBy - now) / 1000)} left`;
      const answer = `deputy approve ${childId} --request ${request}`;
      const lines = [
        `${paint("yellow", "?")} ${paint("bold", childId)} ${paint("dim", `${since}${left}`)}`,
        `  ${fit(oneLine(question.goal), columns - 2)}`,
        ...requestLines(question, paint),
        `  ${paint("dim", answer)}\n`,
      ];
      return wrapRequest(output, lines.join("\n"), paint);
    })
    .join("\n");
}

function writeDecisions(answers: readonly Answered[], allowed: boolean, { stdout, env }: Io): void {
  const paint = createPaint(stdout, env);
  const text = answers.map((answered) => formatDecision(answered, allowed, paint)).join("");
  stdout.write(wrapRequest(stdout, text, paint));
}

export function formatDecision({ question, counted, end }: Answered, allowed: boolean, paint: Paint): string {
  const { childId } = question;
  if (counted) {
    const lines = targetLines(question.target, paint);
    return `${allowed ? "Allowed" : "Denied"}: ${childId}, ${oneLine(question.toolName)}\n${lines.join("\n")}\n`;
  }
  if (end === undefined) return `Too late: ${childId} no longer has this request. See deputy show ${childId}.\n`;
  return `Too late: it was already ${decisionInWords(end)}.\n`;
}

/** `denied by terminal (alice): use pnpm`. The surfaces' own reasons only repeat the decision and its place. */
function decisionInWords({ allowed, by, reason }: NonNullable<Answered["end"]>): string {
  const verb = allowed ? "allowed" : "denied";
  const why = reason.startsWith(`${verb} `) ? reason.split(": ").slice(1).join(": ") : reason;
  const who = by === "nobody" ? "" : ` by ${oneLine(by)}`;
  return `${verb}${who}${why === "" ? "" : `: ${oneLine(why).replace(/\.$/, "")}`}`;
}
