/** `deputy serve`: serves Deputy to several programs at once, over HTTP on this machine. */
import { accessToken } from "../../config/access-token.ts";
import { stateDir } from "../../config/trust.ts";
import { stopHere } from "../../engine/control/wait.ts";
import { createHttpAdapter } from "../../mcp/transport/http.ts";
import { createNodeHandler } from "../../mcp/transport/node-handler.ts";
import { CONFIG_OPTION, type Declare, examples, portNumber, withDeputy } from "../command.ts";
import type { Io } from "../io.ts";
import { writeWarning } from "../terminal/warning.ts";
import { wrapFor } from "../terminal/word-wrap.ts";
import { isLoopback, listen } from "./http-listener.ts";
import { mcpServers, WORKSPACE_OPTION } from "./mcp-servers.ts";
import { resumeAfterCrash, serverName } from "./resume-after-crash.ts";

type ServeFlags = { port: number; host: string; resume: boolean; workspace?: string; config?: string };

const DEFAULT_PORT = 4747;
/** Longest wait for runs to stop and for callers to receive their responses, in milliseconds. */
const STOP_MS = 5_000;
const ANSWER_MS = 1_000;

export const declareServe: Declare = (command, context) => {
  const { io } = context;
  command
    .description("Serve MCP over HTTP to any number of programs on this machine.")
    .option("--port <n>", "port to listen on; 0: any free port", portNumber, DEFAULT_PORT)
    .option("--host <address>", "address to listen on", "127.0.0.1")
    .option("--no-resume", "do not continue the runs of a server that crashed")
    .option(...WORKSPACE_OPTION)
    .option(...CONFIG_OPTION)
    .addHelpText(
      "after",
      `
Programs connect to http://127.0.0.1:${DEFAULT_PORT}/mcp with a token, as Authorization: Bearer TOKEN. It is created at
the first start, in a file of the state directory that only you can read. The path is printed.
Ctrl-C stops all runs and exits; deputy resume continues them. Runs that were active when the server crashed or was
killed continue when it starts again.
${examples([["deputy serve", "for every MCP client that takes a URL"]])}`,
    )
    .action(async ({ port, host, resume, ...flags }: ServeFlags) =>
      withDeputy(context, flags.config, async (deputy) => {
        const token = accessToken(stateDir(io.env));
        const say = (text: string) => void io.stderr.write(`${wrapFor(io.stderr, text)}\n`);
        const onError = (error: unknown) => say(`! ${error instanceof Error ? error.message : error}`);
        const server = serverName("serve", deputy.loadConfig());
        const face = createHttpAdapter({
          createServer: await mcpServers(io, deputy, flags, () => server),
          onError,
        });
        const mcp = createNodeHandler(face, onError);
        const listener = await listen({ host, port, token, handlers: { "/mcp": mcp }, onError });
        say(`MCP at ${listener.url}/mcp`);
        say(`Token: ${token.masked}, in full in ${token.path}`);
        if (!isLoopback(host))
          writeWarning(io, `${host} is reachable from other machines, and its traffic is not encrypted.`);
        const ending = new AbortController();
        const asked = interrupted(io).finally(() => ending.abort());
        if (resume) await resumeAfterCrash(deputy.engine, server, say, ending.signal);
        const by = await asked;
        say("Stopping; finished work is kept. Press Ctrl-C again to exit now.");
        await stopHere(deputy.engine, by, { ms: STOP_MS, clock: io.clock });
        await Promise.race([listener.answered(), io.clock.sleep(ANSWER_MS)]);
        await face.close();
        await listener.close();
      }),
    );
};

/** @returns the signal. The next one has no listener and ends the process. */
function interrupted(io: Io): Promise<string> {
  return new Promise((resolve) => {
    const stop = io.onInterrupt((by) => {
      stop();
      resolve(by);
    });
  });
}
