/**
 * Runs the tool calls of one answer, in the model's order: each is checked (known tool, valid input, allowed), its
 * intent recorded, then run. Adjacent calls with the same effect run concurrently, up to the limit of that effect.
 * Their ends are recorded in the model's order.
 */
import { realpathSync } from "node:fs";
import { requestCode } from "../approval-request.ts";
import type { ChildEvent, Denial } from "../event.ts";
import { invalidArguments } from "../invalid-arguments.ts";
import type { Tool, ToolEffect, ToolOutput, ToolSubject } from "../tool.ts";
import { parseArguments } from "../tool-arguments.ts";
import { present } from "../values/present.ts";
import { type ApprovalDecision, type Child, childTools, emit, offeredTools } from "./child.ts";
import { turnMessage } from "./conversation.ts";
import { createFoundJudge } from "./file-rules.ts";
import { keepImages } from "./keep-images.ts";
import type { ToolCall } from "./message.ts";
import { decidePermission } from "./permissions.ts";
import { unknownTool } from "./unknown-tool.ts";
import { createPageJudge, createRedirectJudge } from "./url-rules.ts";
import { warnOnce } from "./warnings.ts";

/** A call that may run. */
type Admitted = { call: ToolCall; tool: Tool; input: unknown; subject: ToolSubject };
/** A running call, and a promise of its end. */
type UnderWay = Admitted & { run: Promise<Ran> };
type Ran = { output: ToolOutput; durationMs: number };
/** A call that does not run, with the text for the model. */
type Refused = {
  outcome: "denied" | "invalid" | "unknown";
  text: string;
  target: string;
  denial?: Denial;
  isUnknownTool?: true;
};

/**
 * `atOnce`: maximum concurrent calls. A search is a process with two pipes: eight keep a disk busy, and leave room for
 * others below a limit of 64 descriptors. Delegations have their own limits (slots, rates, budgets). `cutOff`: what
 * happens to a call that was running when the child was stopped or its process died.
 */
const CALLS_OF: Record<ToolEffect, { atOnce: number; cutOff: "again" | "unknown" | "goes-on" }> = {
  read: { atOnce: 8, cutOff: "again" },
  write: { atOnce: 1, cutOff: "unknown" },
  delegate: { atOnce: Number.POSITIVE_INFINITY, cutOff: "goes-on" },
};

/** Runs the next calls that belong together. The loop calls it again for the rest. */
export async function* runCalls(child: Child): AsyncGenerator<ChildEvent, void> {
  const admitted: Admitted[] = [];
  for (const call of [...child.conversation.pending]) {
    const tool = childTools(child).find(({ name }) => name === call.name);
    const [first] = admitted;
    if (first !== undefined && tool?.effect !== first.tool.effect) break;
    const admission = yield* admit(child, call, tool);
    // Nobody decided: a child that continues asks again.
    if ("outcome" in admission && admission.denial?.by === "stop" && child.signal.aborted) break;
    if ("outcome" in admission) yield refuse(child, call, admission);
    else admitted.push(admission);
    if (tool === undefined || CALLS_OF[tool.effect].atOnce === 1 || child.signal.aborted) break;
  }
  if (!child.signal.aborted) yield* runTogether(child, admitted);
}

async function* admit(
  child: Child,
  call: ToolCall & { started: boolean },
  tool: Tool | undefined,
): AsyncGenerator<ChildEvent, Admitted | Refused> {
  if (tool === undefined) {
    const known = offeredTools(child).map(({ name }) => name);
    return { outcome: "invalid", target: "", text: unknownTool(call.name, known), isUnknownTool: true };
  }
  const parsed = parseArguments(tool, call.input);
  if (!parsed.success) return { outcome: "invalid", target: "", text: invalidArguments(tool, parsed.error) };
  await tool.refresh?.(child.signal);
  const subject = tool.subject(parsed.data);
  if (subject.warning !== undefined && !child.deps.isWarned(subject.warning)) yield* warnOnce(child, [subject.warning]);
  if (call.started) {
    if (CALLS_OF[tool.effect].cutOff !== "unknown") return { call, tool, input: parsed.data, subject };
    return {
      outcome: "unknown",
      target: subject.target,
      text: "Deputy was interrupted while this ran: it may or may not have taken effect. Check before you repeat it.",
    };
  }
  const { allowed, by, reason } = yield* ask(child, call, tool, subject);
  return allowed
    ? { call, tool, input: parsed.data, subject }
    : { outcome: "denied", target: subject.target, text: `Not allowed: ${reason}`, denial: { by, reason } };
}

/** The rules' decision or, if they say `ask`, the user's. */
async function* ask(
  child: Child,
  { callId, name }: ToolCall,
  tool: Tool,
  subject: ToolSubject,
): AsyncGenerator<ChildEvent, ApprovalDecision> {
  const { permissions, approve, answerBy: deadline } = child.deps;
  const { decision, because, holdsSecrets, isChanged } = decidePermission(
    permissions.rules,
    permissions.otherwise,
    tool.name,
    subject,
    namedHosts(child),
  );
  if (decision !== "ask") return { allowed: decision === "allow", by: "rule", reason: because };
  const { childId, planned } = child.input;
  const target = subject.asked ?? subject.target;
  const directory = realDirectory(planned.workspace);
  const answerBy = deadline();
  const patience = answerBy !== undefined && { answerBy };
  const { sandboxed, onlyUser } = subject;
  const reason = present({ reason: isChanged && because, sandboxed, onlyUser });
  const asked = emit(child, { kind: "approval-ask", callId, name, target, directory, ...patience, ...reason });
  yield asked;
  const facts = { childId, callId, toolName: name, target, directory, askedAt: asked.at };
  const goal = turnMessage(child.conversation) ?? planned.task.goal;
  const verdict = await approve({ ...facts, ...reason, goal, request: requestCode(facts) }, child.signal);
  yield emit(child, { kind: "approval-end", callId, ...verdict });
  if (verdict.allowed && realDirectory(planned.workspace) !== directory)
    return { allowed: false, by: "moved", reason: MOVED };
  if (isChanged && verdict.by === "nobody")
    return { allowed: false, by: "changed", reason: `${because}. ${NOT_BY_RULE}` };
  return (holdsSecrets || isChanged) && !verdict.allowed
    ? { ...verdict, reason: `${verdict.reason} (${because})` }
    : verdict;
}

/** Hosts that the user named: in the task, if it is the user's own, and in messages since. */
function namedHosts({ input, conversation }: Child): string[] {
  return [...(input.planned.hosts ?? []), ...conversation.hosts];
}

const NOT_BY_RULE = "Only a user can approve the call, whatever rules say, and nobody can answer here.";
const MOVED = "the workspace leads to another directory than the one the request was approved for. Ask again.";

/** Real path of the directory where commands of this workspace run. */
function realDirectory(workspace: string): string {
  try {
    return realpathSync(workspace);
  } catch {
    return workspace; // It is gone: commands will fail there by themselves.
  }
}

function refuse(child: Child, { callId, name }: ToolCall, refused: Refused): ChildEvent {
  return emit(child, {
    kind: "tool-end",
    callId,
    name,
    ...refused,
    ok: false,
    filesChanged: [],
    durationMs: 0,
  });
}

/** Starts the calls in order: with `atOnce` running, the next one starts when the first of them has ended. */
async function* runTogether(child: Child, admitted: Admitted[]): AsyncGenerator<ChildEvent, void> {
  const underWay: UnderWay[] = [];
  for (const each of admitted) {
    const { call, tool, subject } = each;
    const first = underWay.length < CALLS_OF[tool.effect].atOnce ? undefined : underWay.shift();
    if (first !== undefined) yield* tellEnd(child, first);
    if (child.signal.aborted) break;
    const { callId, name } = call;
    const { target, searched } = subject;
    const facts = present({ searched, sandboxed: subject.sandboxed });
    yield emit(child, { kind: "tool-start", callId, name, target, ...facts, effect: tool.effect });
    underWay.push({ ...each, run: runOne(child, each) });
  }
  for (const each of underWay) yield* tellEnd(child, each);
}

async function* tellEnd(child: Child, { call, tool, subject, run }: UnderWay): AsyncGenerator<ChildEvent, void> {
  const { output, durationMs } = await run;
  // A call that continues with its child has not ended.
  if (CALLS_OF[tool.effect].cutOff === "goes-on" && child.signal.aborted) return;
  const { ok, filesChanged = [], seen, todo, linesChanged } = output;
  const { text, images } = keepImages(child, output);
  const { callId, name } = call;
  yield emit(child, {
    kind: "tool-end",
    callId,
    name,
    target: subject.target,
    text,
    ok,
    outcome: "ran",
    filesChanged,
    ...present({ searched: subject.searched, sandboxed: subject.sandboxed, seen, todo, linesChanged, images }),
    durationMs,
  });
}

/** Never rejects. A tool that throws has a bug: its child gets an error, its siblings are unaffected. */
async function runOne(child: Child, { call: { callId }, tool, input, subject }: Admitted): Promise<Ran> {
  const { clock, commands, explainBug, permissions } = child.deps;
  const { childId } = child.input;
  const startedAt = clock.elapsed();
  const { step, seen } = child.conversation;
  const { file, isPage } = subject;
  const hosts = namedHosts(child);
  const context = {
    ...{ childId, callId, step, seen, hosts, commands, signal: child.signal },
    ...(file && { judge: createFoundJudge(permissions, tool.name, file) }),
    ...(isPage && { judgePage: createRedirectJudge(createPageJudge(permissions, tool.name, hosts), subject) }),
  };
  const output = await tool.run(input, context).catch((error: unknown) => ({
    ok: false,
    text: `${tool.name} failed. ${explainBug(error, `${childId} ${tool.name}`)}`,
  }));
  return { output, durationMs: clock.elapsed() - startedAt };
}
