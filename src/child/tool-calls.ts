/**
 * The tool calls of one answer, in the model's order: each is admitted (known tool, valid input, allowed), its intent
 * recorded, then run. Calls of one effect that stand side by side run together, where that effect allows it. However they
 * end, their ends are told in the model's order.
 */
import type { ChildEvent } from "../event.ts";
import type { Tool, ToolEffect, ToolOutput, ToolSubject } from "../tool.ts";
import { decide } from "./approval.ts";
import { type Child, type Happening, tell } from "./child.ts";
import { type ToolCall, turnMessage } from "./conversation.ts";

/** A call that may run. */
type Admitted = { call: ToolCall; tool: Tool; input: unknown; subject: ToolSubject };
/** A call that does not run, and what the model is told. */
type Refused = { outcome: "denied" | "invalid" | "unknown"; text: string; target: string };

/** `cutOff`: what becomes of a call that was under way when the child was stopped or its process died. */
const CALLS_OF: Record<ToolEffect, { sideBySide: boolean; cutOff: "again" | "unknown" | "goes-on" }> = {
  read: { sideBySide: true, cutOff: "again" },
  write: { sideBySide: false, cutOff: "unknown" },
  delegate: { sideBySide: true, cutOff: "goes-on" },
};

/** Runs the next calls that belong together. The loop comes back for the rest. */
export async function* runCalls(child: Child): AsyncGenerator<Happening, void> {
  const admitted: Admitted[] = [];
  for (const call of [...child.conversation.pending]) {
    const tool = child.deps.tools.find(({ name }) => name === call.name);
    const [first] = admitted;
    if (first !== undefined && tool?.effect !== first.tool.effect) break;
    const admission = yield* admit(child, call, tool);
    if ("outcome" in admission) yield refuse(child, call, admission);
    else admitted.push(admission);
    if (tool === undefined || !CALLS_OF[tool.effect].sideBySide || child.signal.aborted) break;
  }
  if (!child.signal.aborted) yield* runTogether(child, admitted);
}

async function* admit(
  child: Child,
  call: ToolCall & { started: boolean },
  tool: Tool | undefined,
): AsyncGenerator<Happening, Admitted | Refused> {
  const { tools } = child.deps;
  if (tool === undefined) {
    const known = tools.map(({ name }) => name).join(", ") || "none";
    return { outcome: "invalid", target: "", text: `There is no tool ${call.name}. Your tools: ${known}.` };
  }
  const parsed = tool.input.safeParse(call.input);
  if (!parsed.success) {
    const mistakes = parsed.error.issues.map(({ path, message }) => `- ${path.join(".") || "arguments"}: ${message}`);
    return { outcome: "invalid", target: "", text: `The arguments do not fit ${tool.name}:\n${mistakes.join("\n")}` };
  }
  const subject = tool.subject(parsed.data);
  if (call.started) {
    if (CALLS_OF[tool.effect].cutOff !== "unknown") return { call, tool, input: parsed.data, subject };
    return {
      outcome: "unknown",
      target: subject.target,
      text: "Deputy was interrupted while this ran: it may or may not have taken effect. Look before you repeat it.",
    };
  }
  const { allowed, reason } = yield* ask(child, call, tool, subject);
  return allowed
    ? { call, tool, input: parsed.data, subject }
    : { outcome: "denied", target: subject.target, text: `Not allowed: ${reason}` };
}

/** The rules' decision; where they say `ask`, that of whoever can answer. */
async function* ask(
  child: Child,
  { callId, name }: ToolCall,
  tool: Tool,
  subject: ToolSubject,
): AsyncGenerator<Happening, { allowed: boolean; reason: string }> {
  const { permissions, approve, answerBy: deadline } = child.deps;
  const { decision, because } = decide(permissions.rules, permissions.otherwise, tool.name, subject);
  if (decision !== "ask") return { allowed: decision === "allow", reason: because };
  const { childId, planned } = child.input;
  const { target } = subject;
  const answerBy = deadline();
  yield tell(child, { kind: "approval-ask", callId, name, target, ...(answerBy !== undefined && { answerBy }) });
  const goal = turnMessage(child.conversation) ?? planned.task.goal;
  const verdict = await approve({ childId, callId, goal, toolName: name, target }, child.signal);
  yield tell(child, { kind: "approval-end", callId, ...verdict });
  return verdict;
}

function refuse(child: Child, { callId, name }: ToolCall, { outcome, text, target }: Refused): ChildEvent {
  return tell(child, {
    kind: "tool-end",
    callId,
    name,
    target,
    text,
    ok: false,
    outcome,
    filesChanged: [],
    durationMs: 0,
  });
}

async function* runTogether(child: Child, admitted: Admitted[]): AsyncGenerator<Happening, void> {
  const { clock } = child.deps;
  for (const { call, tool, subject } of admitted) {
    const { callId, name } = call;
    yield tell(child, { kind: "tool-start", callId, name, target: subject.target, effect: tool.effect });
  }
  const startedAt = clock.elapsed();
  const runs = admitted.map(async ({ tool, input, call }) => {
    const output = await runOne(child, tool, input, call.callId);
    return { output, durationMs: clock.elapsed() - startedAt };
  });
  for (const [index, { call, tool, subject }] of admitted.entries()) {
    const run = await runs[index];
    // What goes on when the child does has not ended.
    if (run === undefined || (CALLS_OF[tool.effect].cutOff === "goes-on" && child.signal.aborted)) continue;
    const { text, ok, filesChanged = [] } = run.output;
    const { callId, name } = call;
    yield tell(child, {
      kind: "tool-end",
      callId,
      name,
      target: subject.target,
      text,
      ok,
      outcome: "ran",
      filesChanged,
      durationMs: run.durationMs,
    });
  }
}

/** A tool that throws is a bug in it: the child hears of it, its siblings do not suffer from it. */
async function runOne(child: Child, tool: Tool, input: unknown, callId: string): Promise<ToolOutput> {
  const { childId } = child.input;
  try {
    return await tool.run(input, { childId, callId, step: child.conversation.step, signal: child.signal });
  } catch (error) {
    return {
      ok: false,
      text: `${tool.name} failed by a fault of its own: ${error instanceof Error ? error.message : error}`,
    };
  }
}
