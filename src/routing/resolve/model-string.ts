/**
 * The one syntax for models, in tasks, config and command line: `id`, `id --provider slug --effort high`, or an object.
 * An id may be written in several words (`GLM 4.7`). This file parses it; the precedence of the levels decides the
 * provider.
 */
import type { ModelWishConfig } from "../../config-schema.ts";
import type { Problem, Warning } from "../../errors.ts";
import { EFFORTS, isEffort, type Wish } from "../../route.ts";
import { suggest } from "../../text/did-you-mean.ts";
import { present } from "../../values/present.ts";
import type { Providers } from "../catalog/providers.ts";

export type ParsedWish = { wish: Wish; warnings: Warning[] } | { problem: Problem };

const FLAGS = ["--provider", "--effort", "--global"];

/**
 * Parses a model string or object, together with the fields next to it.
 * @param adjacent provider and effort written next to it; a flag that contradicts them is a problem
 */
export function parseModelWish(
  written: ModelWishConfig | undefined,
  adjacent: Omit<Wish, "model">,
  providers: Providers,
): ParsedWish {
  if (written === undefined) return { wish: normalized(adjacent), warnings: [] };
  if (typeof written === "object") {
    const fields = { provider: written.provider, effort: written.reasoning_effort };
    const inside = parseModelWish(written.model, normalized(fields), providers);
    return "problem" in inside ? inside : withAdjacent(inside, adjacent, providers);
  }
  const parsed = parseText(written);
  return "problem" in parsed ? parsed : withAdjacent(parsed, adjacent, providers);
}

/** Trims the fields and drops `inherit`, which means: as if nothing was written. */
function normalized({ model, provider, effort }: { [Key in keyof Wish]: Wish[Key] | undefined }): Wish {
  const named = (text: string | undefined) =>
    text?.trim().toLowerCase() === "inherit" ? undefined : text?.trim() || undefined;
  return present({ model: named(model), provider: named(provider), effort });
}

function parseText(text: string): ParsedWish {
  const words = text.trim().split(/\s+/);
  const wish: Wish = {};
  const warnings: Warning[] = [];
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const [flag = "", joined] = word.split("=", 2);
    if (!word.startsWith("--")) {
      wish.model = wish.model === undefined ? word : `${wish.model} ${word}`;
    } else if (flag === "--global") {
      warnings.push({
        code: "global-ignored",
        message: "--global has no effect on a task: nothing is kept for others.",
      });
    } else if (flag === "--provider" || flag === "--effort") {
      const value = joined ?? words.shift();
      if (value === undefined || value === "" || value.startsWith("--"))
        return { problem: wrongForm(text, `${flag} without a value`) };
      if (wish[flag === "--provider" ? "provider" : "effort"] !== undefined)
        return { problem: { ...wrongForm(text, `${flag} twice`), code: "conflicting-route" } };
      const effort = value.toLowerCase();
      if (flag === "--provider") wish.provider = value;
      else if (isEffort(effort)) wish.effort = effort;
      else return { problem: unknownEffort(value) };
    } else return { problem: wrongForm(text, word, suggest(flag, FLAGS)) };
  }
  return { wish: normalized(wish), warnings };
}

function withAdjacent(
  parsed: { wish: Wish; warnings: Warning[] },
  adjacent: Omit<Wish, "model">,
  providers: Providers,
): ParsedWish {
  const { wish, warnings } = parsed;
  const fields = normalized(adjacent);
  if (wish.provider !== undefined && fields.provider !== undefined && !providers.isSame(wish.provider, fields.provider))
    return { problem: disagreement("provider", wish.provider, fields.provider) };
  if (wish.effort !== undefined && fields.effort !== undefined && wish.effort !== fields.effort)
    return { problem: disagreement("reasoning_effort", wish.effort, fields.effort) };
  return { wish: { ...fields, ...wish }, warnings };
}

/** The problem for several words that are not a model's name. */
export function severalWords(model: string): Problem {
  return wrongForm(model, model.replaceAll(" ", " and "));
}

function wrongForm(text: string, found: string, suggestions: string[] = []): Problem {
  const hint = suggestions.length === 0 ? "" : ` Did you mean ${suggestions.join(" or ")}?`;
  return {
    code: "unknown-model",
    field: "model",
    message: `Expected one model id and at most ${FLAGS.join(", ")}; found ${found} in "${text.slice(0, 100)}".${hint}`,
    suggestions,
  };
}

function unknownEffort(found: string): Problem {
  const close = suggest(found, EFFORTS);
  const hint = close.length === 0 ? "" : ` Did you mean ${close.join(" or ")}?`;
  return {
    code: "effort-unsupported",
    field: "reasoning_effort",
    message: `Expected one of ${EFFORTS.join(", ")} after --effort; found ${found}.${hint}`,
    suggestions: close.length > 0 ? close : [...EFFORTS],
  };
}

export function disagreement(field: "provider" | "reasoning_effort", inModel: string, nextToIt: string): Problem {
  return {
    code: "conflicting-route",
    field,
    message: `Expected one ${field}; the model sets ${inModel} and the field next to it ${nextToIt}. Remove one of them.`,
    suggestions: [inModel, nextToIt],
  };
}

// A provider inside of the model's name -------------------------------------------------------------------------------

/**
 * `openrouter:stepfun/x` or `anthropic/claude-x`, if the part before the sign is a known provider. A tag is not a
 * model: `qwen:7b` names no provider.
 */
export function providerInside(
  model: string,
  sign: ":" | "/",
  providers: Providers,
): { slug: string; model: string } | undefined {
  const at = model.indexOf(sign);
  const rest = model.slice(at + 1);
  const isTag = sign === ":" && /^(\d|latest$)/.test(rest);
  const slug = at <= 0 || rest === "" || isTag ? undefined : providers.slugOf(model.slice(0, at));
  return slug === undefined ? undefined : { slug, model: rest };
}

/** The problem for a provider written with a colon. */
export function colonProblem(written: string, inside: { slug: string; model: string }): Problem {
  const right = `${inside.model} --provider ${inside.slug}`;
  return {
    code: "conflicting-route",
    field: "model",
    message:
      `Expected a model id; found ${written}, with a provider before a colon. A colon is part of a model's name, a ` +
      `variant. Write "${right}", or model ${inside.model} with provider ${inside.slug}.`,
    suggestions: [right],
  };
}
