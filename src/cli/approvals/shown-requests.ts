/**
 * The approval requests that this user has seen in a list: a private file in the state directory. An answer that names
 * only a child means the listed request, not one that has replaced it since.
 */
import { join } from "node:path";
import { z } from "zod";
import { stateDir } from "../../config/trust.ts";
import type { Question } from "../../engine/engine.ts";
import { DeputyError, errorMessage } from "../../errors.ts";
import { parseRunId } from "../../run/run.ts";
import { readPrivateFile, writePrivateFile } from "../../system/private-file.ts";
import type { Io } from "../io.ts";

/** `until`: when the entry expires, in milliseconds since the epoch. */
const shownSchema = z.record(z.string(), z.object({ childId: z.string(), until: z.number() }));
type Shown = z.infer<typeof shownSchema>;

/**
 * Longer than a user acts on a list, in milliseconds. A request that has expired still counts: another may have
 * replaced it.
 */
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

export type ShownRequests = {
  /** `listed`: it was shown. `replaced`: others of its child were, or of its run if `id` names a run. */
  stateOf(question: Question, id: string): "listed" | "replaced" | "unlisted";
  /** @throws DeputyError `output-unwritable` */
  add(questions: readonly Question[]): void;
};

export function openShownRequests({ env, clock }: Pick<Io, "env" | "clock">): ShownRequests {
  const path = join(stateDir(env), "shown-requests.json");

  function current(): Shown {
    const entries = Object.entries(readShown(path)).filter(([, { until }]) => until > clock.now());
    return Object.fromEntries(entries);
  }

  return {
    stateOf({ request, childId, delegationId }, id) {
      const shown = current();
      if (shown[request] !== undefined) return "listed";
      const isMeant = (other: string) =>
        parseRunId(id).taskIndex === undefined ? parseRunId(other).delegationId === delegationId : other === childId;
      return Object.values(shown).some((entry) => isMeant(entry.childId)) ? "replaced" : "unlisted";
    },
    add(questions) {
      if (questions.length === 0) return;
      const until = clock.now() + REMEMBERED_MS;
      const added = questions.map(({ request, childId }) => [request, { childId, until }] as const);
      try {
        writePrivateFile(path, `${JSON.stringify({ ...current(), ...Object.fromEntries(added) })}\n`);
      } catch (error) {
        const message = `Cannot write ${path}: ${errorMessage(error)}. Answer a request by its code: --request`;
        throw new DeputyError("output-unwritable", message, { cause: error });
      }
    },
  };
}

/** A missing or foreign file means that nothing was shown. */
function readShown(path: string): Shown {
  try {
    return shownSchema.parse(JSON.parse(readPrivateFile(path, "the requests that were shown") ?? "{}"));
  } catch {
    return {};
  }
}
