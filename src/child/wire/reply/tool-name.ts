/**
 * The offered tool that a name means: without a model's own tokens (`read_file<|channel|>commentary`,
 * vllm-project/vllm#32587), the namespace that it has in the prompt (`functions.read_file`, `default_api.read_file`,
 * tya5/reyn#1989) and the number of the call (`read_file:0`), in any case. A name that means none stays, in characters
 * that every vendor takes back.
 */
export function calledTool(written: string, offered: readonly string[]): string {
  if (offered.includes(written)) return written;
  const [beforeTokens = ""] = written.split("<|");
  const name = beforeTokens.trim().replace(/:\d+$/, "");
  const bare = name.slice(name.search(/[^.:/]*$/));
  const meant = [name, bare].find((candidate) => offered.includes(candidate)) ?? onlyMatch(bare, offered);
  return meant ?? written.replaceAll(/[^\w-]/g, "_").slice(0, MAX_NAME);
}

/** As long as OpenAI's API takes: https://platform.openai.com/docs/api-reference/chat/create, `name`. */
const MAX_NAME = 64;

function onlyMatch(name: string, offered: readonly string[]): string | undefined {
  const matches = offered.filter((tool) => tool.toLowerCase() === name.toLowerCase());
  return matches.length === 1 ? matches[0] : undefined;
}
