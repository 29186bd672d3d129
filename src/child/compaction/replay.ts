/** Folds a child's stored events again, and checks that each compaction replaced what its event says. */
import type { ChildEvent } from "../../event.ts";
import { applyEvent, createConversation } from "../conversation.ts";
import type { HeldMessage } from "../message.ts";
import { isReplaced, replacedHash } from "./state.ts";

/** @returns a function for the child's events in order, which describes what is wrong with one */
export function createReplay(): (event: ChildEvent) => string | undefined {
  const conversation = createConversation();
  return (event) => {
    let problem: string | undefined;
    if (event.kind === "compact-end" && !("failure" in event)) {
      const { messages, before } = conversation;
      const replaced: (HeldMessage | undefined)[] =
        event.level === 0
          ? event.stubs.map((index) => messages[index])
          : messages.slice(0, event.until).filter((message, index) => isReplaced(message, index, before.messages));
      const isSame = replacedHash(replaced.filter((message) => message !== undefined)) === event.sha256;
      if (!isSame) problem = "the messages before its compaction are not those that it replaced";
    }
    applyEvent(conversation, event);
    return problem;
  };
}
