/** What a refusal says of the model: that the provider does not have it, and what to do. */
import type { Route } from "../../../route.ts";

/** How providers say that they do not have a model. Gaps are bounded, so that no text takes more than linear time. */
const SAYS_UNKNOWN =
  /model_not_found|(?:no such|unknown|invalid|unsupported|non-?existent) models?\b|\bmodels?\b.{0,120}(?:not (?:be )?found|not exist|n't exist|not supported|not available|unknown|unavailable)|(?:not found|not exist).{0,40}\bmodels?\b/;

/** Advice if the provider does not have the model. @param text the words of the refusal, in lower case */
export function unknownModelAdvice(
  { status, text }: { status?: number; text: string },
  { provider, model }: Pick<Route, "provider" | "model">,
): string | undefined {
  if (status !== 404 && !SAYS_UNKNOWN.test(text)) return undefined;
  return (
    `The model ${model} is probably not available there, or not with this key: choose another one. ` +
    `deputy models --provider ${provider} --refresh lists what ${provider} has.`
  );
}
