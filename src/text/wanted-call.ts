/** What an approval request wants, in words. */
import type { SandboxFacts } from "../event.ts";

/** `run terminal`, `run terminal in the sandbox`, `run terminal outside the sandbox`, `connect to the network`. */
export function wantedCall(
  toolName: string,
  { sandboxed, onlyUser }: SandboxFacts,
  paint = (name: string): string => name,
): string {
  if (toolName === "network") return `connect to the ${paint(toolName)}`;
  const call = `run ${paint(toolName)}`;
  if (sandboxed === true) return `${call} in the sandbox`;
  return sandboxed === false && onlyUser ? `${call} outside the sandbox` : call;
}
