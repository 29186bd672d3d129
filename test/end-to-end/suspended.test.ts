/** The program is suspended while an answer is on its way: it reads what has arrived before it judges, and pays once. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { launch } from "../support/end-to-end.ts";

const STALL_MS = 1_000;

const event = (fields: object) => `data: ${JSON.stringify(fields)}\n\n`;
const said = (content: string) => event({ choices: [{ delta: { content } }] });
const END = `${event({ choices: [{ delta: {}, finish_reason: "stop" }] })}data: [DONE]\n\n`;

/** What has been sent when the program is suspended, and what is sent meanwhile. */
const MOMENTS: Record<string, { before?: string; meanwhile: string }> = {
  "before the first byte": { meanwhile: said("The whole answer.") },
  "after the headers": { before: ": working\n\n", meanwhile: said("The whole answer.") },
  "in the middle of the answer": { before: said("The whole "), meanwhile: said("answer.") },
};

for (const [when, { before, meanwhile }] of Object.entries(MOMENTS))
  test(`a program that is suspended ${when} reads the answer and does not ask again`, async () => {
    const home = mkdtempSync(join(tmpdir(), "deputy-suspended-"));
    const { promise: asked, resolve } = Promise.withResolvers<ServerResponse>();
    let requests = 0;
    const server = createServer((request, response) => {
      requests += 1;
      request.resume().on("end", () => {
        response.setHeader("content-type", "text/event-stream");
        if (before !== undefined) response.write(before);
        resolve(response);
      });
    });
    await new Promise<void>((ready) => void server.listen(0, "127.0.0.1", ready));
    const config = {
      model: "m",
      provider: "slow",
      providers: {
        slow: { base_url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, api_key: "sk-slow" },
      },
      delegation: { stall_seconds: STALL_MS / 1000 },
    };
    writeFileSync(join(home, "config.json"), JSON.stringify(config));
    const env = { HOME: home, DEPUTY_STATE_DIR: join(home, "state") };
    const program = launch(["run", "--goal", "Answer.", "--config", "config.json"], { cwd: home, env });
    try {
      const response = await Promise.race([asked, program.ended]);
      if (!("write" in response)) assert.fail(response.stderr);
      await sleep(200); // what came before has been read
      program.child.kill("SIGSTOP");
      response.end(meanwhile + END);
      await sleep(3 * STALL_MS);
      program.child.kill("SIGCONT");
      const { code, stdout, stderr } = await program.ended;
      assert.equal(code, 0, stderr);
      assert.match(stdout, /The whole answer\./);
      assert.equal(requests, 1);
    } finally {
      program.child.kill("SIGKILL");
      server.closeAllConnections();
      server.close();
      rmSync(home, { recursive: true, force: true });
    }
  });
