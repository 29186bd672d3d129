// biome-ignore-all lint/suspicious/noTemplateCurlyInString: `${NAME}` is how the settings name a variable.
/** Settings of Claude Code in the shapes that people publish, in our own words. */
const permissions = (value: object, rest: object = {}) => ({ permissions: value, ...rest });

export const CLAUDE_CODE: Record<string, object> = {
  "an allowlist of a Node project": permissions({
    allow: ["Bash(npm test:*)", "Bash(npm run lint)", "Bash(npx tsc:*)"],
  }),
  "the example of the documentation": permissions({
    allow: ["Bash(npm run lint)", "Bash(npm run test:*)", "Read(~/.zshrc)"],
    deny: ["Bash(curl:*)", "Read(./.env)", "Read(./.env.*)", "Read(./secrets/**)"],
  }),
  "pushes that ask": permissions({ allow: ["Bash(git *)"], ask: ["Bash(git push:*)"], deny: ["Bash(rm -rf *)"] }),
  "a Python project": permissions({
    allow: ["Bash(uv run:*)", "Bash(pytest:*)", "Edit(src/**)", "Edit(tests/**/*.py)"],
  }),
  "everything allowed": permissions({ allow: ["Bash", "Edit", "Write", "Read", "WebFetch", "WebSearch"] }),
  "everything denied but git": permissions({ allow: ["Bash(git status)"], deny: ["Bash", "Write"] }),
  "web domains": permissions({ allow: ["WebFetch(domain:docs.example)", "WebSearch"], deny: ["WebFetch"] }),
  "tools of servers": permissions({
    allow: ["mcp__github__get_issue", "mcp__docs"],
    deny: ["mcp__github__delete_repo"],
  }),
  "servers of a project": {
    mcpServers: { docs: { command: "npx", args: ["docs-mcp"], env: { TOKEN: "sk-abcdefghijklmnopqrstuvwx" } } },
  },
  "a remote server": {
    mcpServers: {
      tracker: { type: "http", url: "https://tracker.example/mcp", headers: { Authorization: "Bearer ${T}" } },
    },
  },
  "a model and hooks": {
    model: "opus",
    hooks: { PostToolUse: [{ matcher: "Edit", hooks: [{ type: "command", command: "fmt" }] }] },
  },
  "a long context": { model: "sonnet[1m]", cleanupPeriodDays: 20, includeCoAuthoredBy: false },
  "the plan's model": { model: "opusplan", statusLine: { type: "command", command: "status.sh" }, theme: "dark" },
  "a gateway": {
    model: "claude-sonnet-5",
    env: { ANTHROPIC_BASE_URL: "https://gw.example", ANTHROPIC_AUTH_TOKEN: "sk-zyxwvutsrqponmlkjihgfe" },
  },
  "edits accepted": permissions({ defaultMode: "acceptEdits", allow: ["Bash(make:*)"] }),
  "plan only": permissions({ defaultMode: "plan", allow: ["Bash(ls:*)"] }),
  "nothing asked": permissions({ defaultMode: "dontAsk", allow: ["Bash(go test ./...)"] }),
  "everything bypassed": permissions({ defaultMode: "bypassPermissions", deny: ["Bash(sudo:*)", "Bash(dd:*)"] }),
  "more directories": permissions({
    additionalDirectories: ["../docs", "~/notes"],
    allow: ["Read(//opt/data/**)", "Edit(//opt/data/**)"],
  }),
  "a key that was approved": permissions({
    allow: ['Bash(curl -H "Authorization: Bearer sk-ant-REDACTED" x)', "Bash(git add:*)"],
  }),
  "files by ending": permissions({
    allow: ["Edit(*.md)", "Edit(/docs/**)"],
    deny: ["Edit(*.lock)", "Edit(.git/**)", "Read(**/*.pem)", "Read(!keep.pem)"],
  }),
  nothing: {},
};
