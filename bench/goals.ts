/** Goals of Deputy's performance as ratios, and the table of results. */

/** Numbers of children. Start-up is measured with one. */
export const SIZES = [1, 8, 64, 512, 4096] as const;
export type Size = (typeof SIZES)[number];

/** One ratio and its goal. */
export type Verdict = { ratio: number; goal: number; reached: boolean };
export type Row = { name: string; verdicts: Partial<Record<Size, Verdict>> };

type Goals = Partial<Record<Size, number>>;

export const GOALS = {
  wallToIdeal: { 8: 1.12, 64: 1.35, 512: 2.3 },
  wallToFloor: { 4096: 1.2 },
  cpu: { 64: 2.0, 512: 1.6, 4096: 1.6 },
  memory: { 64: 1.4, 512: 1.4, 4096: 1.4 },
  start: { 1: 3 },
  deltas: { 64: 2.2 },
} as const satisfies Record<string, Goals>;
export type GoalName = keyof typeof GOALS;

export const GOAL_NAMES: Record<GoalName, string> = {
  wallToIdeal: "wall ÷ ideal",
  wallToFloor: "wall ÷ floor",
  cpu: "CPU per child ÷ floor",
  memory: "peak memory ÷ floor",
  start: "start → first request ÷ floor",
  deltas: "CPU ÷ floor, 400 deltas",
};

export function verdict(goal: number, ratio: number): Verdict {
  return { ratio, goal, reached: ratio <= goal };
}

/** A table in plain text: one row per goal, one column per size. */
export function tableOf(rows: Row[], sizes: readonly Size[]): string {
  const cells = rows.map(({ name, verdicts }) => [name, ...sizes.map((size) => shown(verdicts[size]))]);
  const lines = [["", ...sizes.map((size) => `N = ${size}`)], ...cells];
  const widths = lines[0]?.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0))) ?? [];
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")).join("\n");
}

function shown(verdict: Verdict | undefined): string {
  if (verdict === undefined) return "–";
  return `${verdict.ratio.toFixed(2)} ≤ ${verdict.goal} ${verdict.reached ? "✓" : "✗"}`;
}

export function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
