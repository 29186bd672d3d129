/** Configs of Codex in the shapes that people publish, in our own words. */
export const CODEX: Record<string, string> = {
  "only a model": 'model = "gpt-5.5"',
  "a model with effort": 'model = "gpt-5.5"\nmodel_reasoning_effort = "high"',
  "an unknown effort": 'model = "gpt-5.5"\nmodel_reasoning_effort = "extreme"',
  "the usual approvals": 'model = "gpt-5.5"\napproval_policy = "on-request"\nsandbox_mode = "workspace-write"',
  "the careful one": 'approval_policy = "untrusted"\nsandbox_mode = "read-only"',
  "a reviewer": 'approval_policy = "never"\nsandbox_mode = "read-only"\nmodel_verbosity = "low"',
  "full access": 'approval_policy = "never"\nsandbox_mode = "danger-full-access"',
  "granular approvals": "[approval_policy.granular]\nsandbox_approval = true\nrules = false",
  "a local server":
    '[mcp_servers.docs]\ncommand = "npx"\nargs = ["-y", "docs-mcp"]\n[mcp_servers.docs.env]\nKEY = "sk-abcdefghijklmnopqrstuvwx"',
  "a remote server":
    '[mcp_servers.tracker]\nurl = "https://tracker.example/mcp"\nbearer_token_env_var = "TRACKER_TOKEN"',
  "a gateway":
    'model = "x-1"\nmodel_provider = "gw"\n[model_providers.gw]\nname = "Gateway"\nbase_url = "https://gw.example/v1"\nenv_key = "GW_KEY"\nwire_api = "chat"',
  "a gateway of responses":
    'model = "x-1"\nmodel_provider = "gw"\n[model_providers.gw]\nbase_url = "https://gw.example/v1/"\nenv_key = "GW_KEY"\nquery_params = { v = "1" }',
  headers:
    '[model_providers.gw]\nbase_url = "https://gw.example/v1"\nhttp_headers = { X = "sk-abcdefghijklmnopqrstuvwx" }\nenv_http_headers = { "X-Team" = "TEAM" }',
  "a token in the file":
    '[model_providers.gw]\nbase_url = "https://gw.example/v1"\nexperimental_bearer_token = "sk-abcdefghijklmnopqrstuvwx"',
  "a key in the URL":
    'model_provider = "gw"\nmodel = "m"\n[model_providers.gw]\nbase_url = "https://u:sk-abcdefghijklmnopqrstuvwx@gw.example/v1"',
  "a local model":
    'model = "qwen3"\nmodel_provider = "lab"\n[model_providers.lab]\nname = "Lab"\nbase_url = "http://127.0.0.1:8000/v1"',
  "a provider that is nowhere": 'model = "m"\nmodel_provider = "nowhere"',
  "trusted projects":
    'model = "gpt-5.5"\n[projects."/home/me/app"]\ntrust_level = "trusted"\n[tui]\nnotifications = true',
  profiles: 'profile = "fast"\n[profiles.fast]\nmodel = "gpt-5.5-mini"\nmodel_reasoning_effort = "low"',
  "the shell's environment":
    '[shell_environment_policy]\ninherit = "core"\nexclude = ["AWS_*"]\n[history]\npersistence = "none"\n[features]\nweb_search = true',
  nothing: "",
};
