/** The parameters of an endpoint, which belong to the address of every request. */
import type { Endpoint } from "../../route.ts";

export function withQuery(url: string, query: Endpoint["query"]): string {
  if (query === undefined) return url;
  const whole = new URL(url);
  for (const [name, value] of Object.entries(query)) whole.searchParams.set(name, value);
  return whole.href;
}
