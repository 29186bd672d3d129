/** Error text for a model whose arguments do not fit its tool: one line per issue. */
import { z } from "zod";
import { unknownField } from "./text/did-you-mean.ts";
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
