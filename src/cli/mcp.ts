/** `deputy mcp`: Deputy for the agent programs people already use. */
import { CONFIG_OPTION, type Declare, examples, withDeputy } from "./command.ts";
import type { InstallFlags } from "./mcp-install.ts";

export const declareMcp: Declare = (command, context) => {
  command.description("Offer delegate_task to an agent program over MCP.");
  command
    .command("install")
    .description(
      "Show the entry that makes an agent program start Deputy as its MCP server, and write it if you agree.",
    )
    .argument("<program>", "claude-code, codex, opencode, cursor, hermes or vscode")
    .option("--project", "this project's file instead of your own")
    .option("--write", "write it without asking; the former file is kept")
    .option("--force", "replace an entry of that name which says something else")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy mcp install claude-code", "shows the entry, asks, writes it for all your projects"],
        ["deputy mcp install opencode --project --write", "for this project, without a question"],
      ]),
    )
    .action(async (program: string, { config, ...flags }: InstallFlags & { config?: string }) => {
      const { installMcp, variablesInUse } = await import("./mcp-install.ts");
      const { io } = context;
      const variables = await withDeputy(context, config, async ({ routing }) => variablesInUse(routing(), io.env));
      await installMcp(io, program, variables, flags);
    });
};
