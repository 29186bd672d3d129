/** The working directory of an MCP client's children. */
import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { workspaceAmong } from "../../src/mcp/client/client-workspace.ts";
import { CLIENTS } from "../support/mcp-clients.ts";
import { onMcpStage } from "../support/mcp-stage.ts";

test("is the client's own folder, where its protocol can tell, over either transport", async (t) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "deputy-root-")));
  t.after(() => rmSync(folder, { recursive: true }));
  const roots = [pathToFileURL(folder).href];
  await onMcpStage({}, async ({ client, remote, engine }) => {
    for (const kind of CLIENTS)
      for (const connected of [await client(kind, undefined, roots), await remote(kind, undefined, roots)]) {
        await connected.call("delegate_task", { goal: `of ${kind}` });
        const planned = (await engine.runs())[0]?.run.children[0]?.tally.planned;
        assert.equal(planned && "workspace" in planned && planned.workspace === folder, kind !== "2.x modern", kind);
      }
  });
});

test("stays where the operator named it, where the server is inside of a folder, and where there is no such folder", (t) => {
  const elsewhere = mkdtempSync(join(tmpdir(), "deputy-root-"));
  t.after(() => rmSync(elsewhere, { recursive: true }));
  const outer = pathToFileURL(join(import.meta.dirname, "..")).href;
  const other = pathToFileURL(elsewhere).href;
  const here = { path: import.meta.dirname, isNamed: false };
  assert.equal(workspaceAmong({ ...here, isNamed: true }, [other]), here.path);
  assert.equal(workspaceAmong(here, [other, outer]), here.path);
  assert.equal(workspaceAmong(here, [other]), elsewhere);
  assert.equal(workspaceAmong(here, ["https://example.com", "file:///nowhere/at/all", "nonsense"]), here.path);
});
