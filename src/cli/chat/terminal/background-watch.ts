/**
 * Watches the background runs of a chat at a terminal, from their start or from the state in which a continued chat
 * finds them. A line says that one starts, that it asks for an approval, and how it ended.
 */
import type { Engine } from "../../../engine/engine.ts";
import { errorMessage } from "../../../errors.ts";
import { costIn, sumOf, usageTotals } from "../../../result.ts";
import type { Run } from "../../../run/run.ts";
import { isAtWork } from "../../../run/run-store.ts";
import type { Paint } from "../../io.ts";
import { formatEvent, goalIn } from "../../terminal/event-lines.ts";
import { formatCost, formatDuration, plural } from "../../terminal/format.ts";
import { displayWidth, oneLine } from "../../terminal/terminal-text.ts";
import { isStartedBy } from "../background-runs.ts";

export type BackgroundWatch = {
  watch(runId: string): void;
  /** Watches what a conversation has started earlier and is still at work. */
  watchStartedBy(conversationId: string | undefined): Promise<void>;
  /** Ids of the runs at work, oldest first. */
  running(): string[];
  /** Stops watching; the runs continue. */
  close(): void;
};

export type BackgroundWatchDeps = {
  engine: Pick<Engine, "run" | "runs" | "follow">;
  paint: Paint;
  columns: () => number;
  print(line: string): void;
};

export function createBackgroundWatch({ engine, paint, columns, print }: BackgroundWatchDeps): BackgroundWatch {
  const closed = new AbortController();
  const running = new Set<string>();

  async function follow(runId: string): Promise<void> {
    const found = await engine.run(runId);
    if (!isAtWork(found)) return print(endLine(found.run, paint));
    print(startLine(found.run, columns()));
    await engine.follow(
      found,
      ({ event, run }) => {
        if (event.kind !== "approval-ask") return;
        for (const line of formatEvent(event, run, { verbose: false, paint, columns })) print(line);
      },
      closed.signal,
    );
    running.delete(runId);
    if (!closed.signal.aborted) print(endLine(found.run, paint));
  }

  function watch(runId: string): void {
    if (running.has(runId)) return;
    running.add(runId);
    follow(runId).catch((error: unknown) => {
      running.delete(runId);
      if (!closed.signal.aborted) print(paint("yellow", `! ${runId}: ${oneLine(errorMessage(error))}`));
    });
  }

  return {
    watch,
    async watchStartedBy(conversationId) {
      if (conversationId === undefined) return;
      const started = await engine.runs(undefined, isStartedBy(conversationId));
      for (const { run } of started.filter(isAtWork).toReversed()) watch(run.delegationId);
    },
    running: () => [...running],
    close: () => closed.abort(),
  };
}

/** `· run 7f3a in the background: 3 tasks · Write a haiku about a lion.`. */
function startLine(run: Run, columns: number): string {
  const head = `· run ${run.delegationId} in the background: ${plural(run.children.length, "task")} · `;
  return `${head}${goalIn(run, 0, columns - 1 - displayWidth(head))}`;
}

/** `✓ run 7f3a in the background: 3 of 3 completed in 4.8s · $0.0031 · /show 7f3a`. */
function endLine(run: Run, paint: Paint): string {
  const { delegationId, children, endedAt, startedAt } = run;
  const head = `run ${delegationId} in the background`;
  if (endedAt === undefined)
    return `${paint("yellow", "!")} ${head} was abandoned: its process exited. deputy resume ${delegationId} continues it`;
  const completed = children.filter(({ tally }) => tally.ending?.status === "completed").length;
  const sign = completed === children.length ? paint("green", "✓") : paint("red", "✗");
  const cost = formatCost(costIn(sumOf(children.map(({ tally }) => usageTotals(tally)))));
  const facts = [
    `${completed} of ${children.length} completed in ${formatDuration((endedAt - startedAt) / 1000)}`,
    cost,
  ];
  return `${sign} ${head}: ${facts.join(" · ")} · /show ${delegationId}`;
}
