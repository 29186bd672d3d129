/** Configs of opencode in the shapes that people publish, in our own words. */
export const OPENCODE: Record<string, object | string> = {
  "only a model": { $schema: "https://opencode.ai/config.json", model: "anthropic/claude-sonnet-5" },
  "two models": { model: "openai/gpt-5.5", small_model: "openai/gpt-5.5-mini", theme: "dark", autoupdate: false },
  "with comments": '{\n  // mine\n  "model": "zai/glm-4.7",\n  "share": "manual", /* never */\n}',
  "a router": { model: "openrouter/stepfun/step-3.5-flash" },
  "a provider that is nowhere": { model: "nowhere/m" },
  "a login": { model: "github-copilot/gpt-5.5" },
  "everything allowed": { permission: "allow" },
  "everything asks": { permission: { "*": "ask" } },
  "the example of the documentation": {
    permission: {
      bash: { "*": "ask", "git *": "allow", "npm *": "allow", "rm *": "deny", "grep *": "allow" },
      edit: { "*": "deny", "docs/*.md": "allow" },
    },
  },
  "tools one by one": { permission: { "*": "ask", bash: "allow", edit: "deny", read: "allow" } },
  "no web": { permission: { webfetch: "deny", websearch: "ask", skill: { "*": "allow" }, doom_loop: "ask" } },
  "secrets denied": {
    permission: { read: { "*": "allow", "*.env": "deny", "~/.ssh/**": "deny" }, edit: { "package-lock.json": "deny" } },
  },
  "other directories": { permission: { external_directory: { "~/projects/**": "allow" } } },
  "one character": { permission: { bash: { "ls -?": "allow", "rm -?": "deny" } } },
  "old tools": { tools: { write: false, bash: false, webfetch: true, "docs_*": false } },
  "old and new": { tools: { bash: false }, permission: { bash: "ask" } },
  "a wrong decision": { permission: { bash: "sometimes" } },
  "a local server": {
    mcp: {
      docs: {
        type: "local",
        command: ["npx", "docs-mcp"],
        environment: { KEY: "sk-abcdefghijklmnopqrstuvwx" },
        enabled: true,
      },
    },
  },
  "a remote server": {
    mcp: {
      tracker: { type: "remote", url: "https://tracker.example/mcp", headers: { Authorization: "Bearer {env:T}" } },
    },
  },
  "a lab": {
    model: "lab/qwen3",
    provider: {
      lab: {
        npm: "@ai-sdk/openai-compatible",
        name: "Lab",
        options: { baseURL: "http://127.0.0.1:8000/v1" },
        models: { qwen3: { name: "Q", limit: { context: 32768, output: 4096 } } },
      },
    },
  },
  "keys by variable": {
    provider: {
      anthropic: { options: { apiKey: "{env:MY_KEY}", timeout: 600000 } },
      gw: {
        npm: "@ai-sdk/openai",
        options: {
          baseURL: "https://gw.example/v1",
          headers: { "X-Team": "{env:TEAM}", "X-Key": "sk-abcdefghijklmnopqrstuvwx" },
        },
      },
    },
  },
  "a key in the file": { provider: { openai: { options: { apiKey: "sk-abcdefghijklmnopqrstuvwx" } } } },
  "agents and commands": {
    agent: { review: { mode: "subagent", prompt: "Review." } },
    command: { test: { template: "Run it." } },
    instructions: ["RULES.md"],
    lsp: {},
  },
  nothing: {},
};
