/** `recall`: reads results of the child's tool calls that a compaction removed from its conversation. */
import { z } from "zod";
import type { StoredImage } from "../image.ts";
import type { Tool, ToolImage, ToolOutput } from "../tool.ts";

/** An earlier result. `ref`: the call's id, distinct in the conversation. */
export type EarlierResult = {
  ref: string;
  name: string;
  target: string;
  text: string;
  images?: readonly StoredImage[];
};

export type RecallDeps = {
  resultsOf(): Promise<EarlierResult[]>;
  /** Bytes, in base64, of an image in a result; undefined if they are lost. */
  imageOf(sha256: string): Promise<string | undefined>;
};

/** Characters of a result in one answer. */
const MOST_CHARACTERS = 20_000;
/** Places that a search returns, and the characters around each. */
const MOST_PLACES = 20;
const AROUND = 200;

const input = z
  .strictObject({
    call_id: z.string().min(1).optional().describe("The call whose result to read."),
    offset: z.int().nonnegative().default(0).describe("Position of the first character."),
    limit: z.int().positive().max(MOST_CHARACTERS).default(MOST_CHARACTERS).describe("Number of characters."),
    find: z.string().min(1).optional().describe("Instead of call_id: exact text to find in all earlier results."),
  })
  .refine(({ call_id, find }) => (call_id === undefined) !== (find === undefined), "Give call_id or find.");

export function createRecall({ resultsOf, imageOf }: RecallDeps): Tool<z.infer<typeof input>> {
  return {
    name: "recall",
    description:
      "Returns an earlier tool result of this conversation unchanged, by call_id, even if it was removed to make room. " +
      "With find, lists the results that contain a text, and where.",
    effect: "read",
    input,
    subject: ({ call_id, find = "" }) => ({ target: call_id ?? `find ${find}`, otherwise: "allow" }),
    run: async ({ call_id, offset, limit, find = "" }) => {
      const results = await resultsOf();
      if (call_id === undefined) return placesOf(results, find);
      const images = await imagesOf(results.find(({ ref }) => ref === call_id)?.images, imageOf);
      return { ...passage(results, call_id, offset, limit), ...(images.length > 0 && { images }) };
    },
  };
}

async function imagesOf(stored: EarlierResult["images"] = [], imageOf: RecallDeps["imageOf"]): Promise<ToolImage[]> {
  const images: ToolImage[] = [];
  for (const image of stored) {
    const base64 = await imageOf(image.sha256);
    if (base64 !== undefined) images.push({ ...image, base64 });
  }
  return images;
}

function passage(results: readonly EarlierResult[], ref: string, offset: number, limit: number): ToolOutput {
  const result = results.find((each) => each.ref === ref);
  if (result === undefined) {
    const known = results.slice(-MOST_PLACES).map((each) => each.ref);
    return { ok: false, text: `No call ${ref} has a result. The newest calls: ${known.join(", ") || "none"}.` };
  }
  const { length } = result.text;
  const end = Math.min(length, offset + limit);
  if (offset === 0 && end === length) return { ok: true, text: result.text };
  if (offset >= length) return { ok: false, text: `The result of ${ref} has ${length} characters.` };
  const rest = end < length ? `; continue with offset ${end}` : "";
  return { ok: true, text: `${result.text.slice(offset, end)}\n[characters ${offset} to ${end} of ${length}${rest}]` };
}

function placesOf(results: readonly EarlierResult[], find: string): ToolOutput {
  const places: string[] = [];
  for (const { ref, name, target, text } of results) {
    for (let at = text.indexOf(find); at >= 0; at = text.indexOf(find, at + find.length)) {
      if (places.length === MOST_PLACES)
        return { ok: true, text: `${places.join("\n\n")}\n\n[more places are not shown]` };
      const around = text.slice(Math.max(0, at - AROUND), at + find.length + AROUND);
      places.push(`${ref} (${name} ${target}), offset ${at}:\n${around}`);
    }
  }
  return places.length === 0
    ? { ok: false, text: "No earlier result contains this text." }
    : { ok: true, text: places.join("\n\n") };
}
