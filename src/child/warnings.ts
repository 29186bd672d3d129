/** Warnings of a child: each is recorded once. */
import type { Warning } from "../errors.ts";
import type { ChildEvent } from "../event.ts";
import { withKeysHidden } from "../secret.ts";
import { type Child, emit } from "./child.ts";

export async function* warnOnce(child: Child, warnings: readonly Warning[]): AsyncGenerator<ChildEvent, undefined> {
  const { conversation, input } = child;
  const planned = input.planned.route.warnings;
  for (const warning of warnings.map(withKeysHidden)) {
    const isKnown = conversation.warned.has(warning.message);
    if (isKnown || planned.some(({ message }) => message === warning.message)) continue;
    yield emit(child, { kind: "child-warn", warning });
  }
}
