/** `12,345`. (`Intl` would cost 10 ms at its first use.) */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

const IRREGULAR: Record<string, string> = { child: "children" };

/** `1 task`, `12 tasks`, `2 children`. */
export function plural(count: number, word: string): string {
  return `${grouped(count)} ${count === 1 ? word : (IRREGULAR[word] ?? `${word}s`)}`;
}
