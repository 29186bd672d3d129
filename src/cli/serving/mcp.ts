/** `deputy mcp`: serves Deputy to agent programs. */
import { CONFIG_OPTION, type Context, type Declare, examples, withDeputy } from "../command.ts";
import type { InstallFlags } from "./mcp-install.ts";

const AT_A_TERMINAL = `Waiting for an MCP client on standard input. Agent programs start this themselves: deputy mcp install PROGRAM
writes the entry. Ctrl-C ends it.
`;

type McpFlags = { workspace?: string; config?: string };

export const declareMcp: Declare = (command, context) => {
  command
    .description("Offer delegate_task to an agent program over MCP, on standard input and output.")
    .enablePositionalOptions() // `install` has options with the same names.
    .option(
      "-w, --workspace <dir>",
      "working directory of the children (default: the client's, else the current directory)",
    )
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
An agent program starts this command; deputy mcp install adds the entry to its settings. The server exits when the
program closes the pipe, or on Ctrl-C. It stops its runs; deputy resume continues them.
`,
    )
    .action((flags: McpFlags) => serve(flags, context));
  command
    .command("install")
    .description(
      "Show the settings entry that makes an agent program start Deputy as an MCP server, and write it if you agree.",
    )
    .argument("<program>", "claude-code, codex, opencode, cursor, hermes or vscode")
    .option("--project", "use this project's settings instead of your own")
    .option("--write", "write without asking; the old file is kept")
    .option("--force", "replace a different entry of the same name")
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      examples([
        ["deputy mcp install claude-code", "show the entry, ask, and write it for all your projects"],
        ["deputy mcp install opencode --project --write", "write it for this project without asking"],
      ]),
    )
    .action(async (program: string, { config, ...flags }: InstallFlags & { config?: string }) => {
      const { installMcp, variablesInUse } = await import("./mcp-install.ts");
      const { io } = context;
      const variables = await withDeputy(context, config, async ({ routing }) => variablesInUse(routing(), io.env));
      await installMcp(io, program, variables, flags);
    });
};

async function serve(flags: McpFlags, context: Context): Promise<void> {
  const { io } = context;
  const [{ serveOverStdio }, { mcpServers }, { serverName }] = await Promise.all([
    import("../../mcp/transport/stdio.ts"),
    import("./mcp-servers.ts"),
    import("./resume-after-crash.ts"),
  ]);
  await withDeputy(context, flags.config, async (deputy) => {
    const interrupted = new AbortController();
    const unheard = io.onInterrupt(() => interrupted.abort());
    const createServer = await mcpServers(io, deputy, flags, () => serverName("mcp", deputy.loadConfig()));
    if (io.stdin.isTTY) io.stderr.write(AT_A_TERMINAL);
    const onError = (error: Error) => void io.stderr.write(`! ${error.message}\n`);
    await serveOverStdio({ input: io.stdin, output: io.stdout, createServer, onError }, interrupted.signal);
    unheard();
  });
}
