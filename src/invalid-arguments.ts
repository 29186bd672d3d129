/** What a model is told of arguments that its tool does not take: a line for each mistake. */
import { z } from "zod";
import { unknownField } from "./did-you-mean.ts";
import type { Tool } from "./tool.ts";

export function invalidArguments({ name, input }: Tool, { issues }: z.ZodError): string {
  const known = input instanceof z.ZodObject ? Object.keys(input.shape) : [];
  const mistakes = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => unknownField(key, known))
      : [`${issue.path.join(".") || "arguments"}: ${issue.message}`],
  );
  return [`Invalid arguments for ${name}:`, ...mistakes.map((mistake) => `- ${mistake}`)].join("\n");
}
