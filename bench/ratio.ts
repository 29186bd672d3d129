/** The mean of ratios with its confidence interval. */

/** Quantile 0.975 of Student's t distribution by degrees of freedom; between two of them, the lower one holds. */
const T_975: readonly (readonly [freedom: number, t: number])[] = [
  [1, 12.706],
  [2, 4.303],
  [3, 3.182],
  [4, 2.776],
  [6, 2.447],
  [8, 2.306],
  [10, 2.228],
  [14, 2.145],
  [20, 2.086],
  [30, 2.042],
  [60, 2.0],
  [120, 1.98],
];

export type Ratio = { mean: number; low: number; high: number };

/** Returns the geometric mean of paired ratios and its 95% interval, by Student's t over their logarithms. */
export function ratioOf(ratios: readonly number[]): Ratio {
  const logs = ratios.map(Math.log);
  const count = logs.length;
  const mean = logs.reduce((sum, each) => sum + each, 0) / count;
  const variance = logs.reduce((sum, each) => sum + (each - mean) ** 2, 0) / (count - 1);
  const [, t] = T_975.findLast(([freedom]) => freedom <= count - 1) ?? [0, Number.NaN];
  const half = t * Math.sqrt(variance / count);
  return { mean: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half) };
}
