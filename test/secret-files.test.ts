/** Which names of files mean secrets, and which only look like it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isSecretFile, mayNameSecretFile } from "../src/secret-files.ts";

const SECRET = {
  "an environment": [
    ".env",
    ".env.local",
    ".env.production.local",
    ".env-prod",
    "app/.env",
    "db.env",
    ".envrc",
    ".ENV",
  ],
  "a private key": ["server.pem", "tls/server.KEY", "cert.p12", "a.pfx", "release.jks", "debug.keystore", "putty.ppk"],
  "an SSH key": [
    "id_rsa",
    ".ssh/id_ed25519",
    "id_ecdsa_sk",
    "id_rsa_work",
    "id_rsa.old",
    "id_deploy",
    "deploy_ed25519",
  ],
  "credentials of a tool": [".netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".htpasswd"],
  "credentials of a cloud": [
    ...[".aws/credentials", "home/.docker/config.json", ".kube/config", "credentials.json", "service-account.json"],
    ...["service-account-prod.json", "client_secret_123.json", "terraform.tfstate", "prod.tfvars", ".vault-token"],
  ],
  "a file of secrets": ["secrets.yml", "config/secrets.yaml", "secrets.json", "secrets.toml", "vault.kdbx"],
  "what was typed": [".bash_history", ".zsh_history", ".psql_history", ".node_repl_history"],
  "a copy of one": [
    ".env~",
    ".env.bak",
    "server.pem.bak",
    "id_rsa~",
    ".npmrc.old",
    "terraform.tfstate.backup",
    "a.key.1",
  ],
} as const;

const HARMLESS = {
  "a template": [".env.example", ".env.sample", ".env.template", ".env.dist", ".env.local.example", "example.env"],
  "a public key": ["id_rsa.pub", "id_ed25519.pub", ".ssh/id_deploy.pub"],
  "code with such a word": [
    ...["environment.ts", "src/env.ts", ".environment", "config.env.ts", "src/secretsanta.ts", "secrets.ts", "keys.ts"],
    ...["id_map.ts", "id_generator.py", "credentials.ts", "pem.js", "monkey", "key", "src/history.ts", "netrc.go"],
  ],
  "another file of such a folder": [
    ".aws/README.md",
    ".kube/cache.json",
    "config.json",
    "docker/config.json",
    "config",
  ],
} as const;

describe("the name of a file says secrets", () => {
  for (const [what, names] of Object.entries(SECRET))
    test(`of ${what}`, () => {
      for (const name of names) assert.ok(isSecretFile(name), name);
    });
  for (const [what, names] of Object.entries(HARMLESS))
    test(`but not of ${what}`, () => {
      for (const name of names) assert.ok(!isSecretFile(name), name);
    });
});

test("a pattern of a shell may name a file of secrets, unless it means any file", () => {
  for (const pattern of [
    ".*",
    ".e*",
    ".en?",
    ".?nv",
    ".env*",
    "*.pem",
    "conf/*.k[e]y",
    "*.p?m",
    "id_*",
    ".git-cred*",
    "secrets.*",
  ])
    assert.ok(mayNameSecretFile(pattern), pattern);
  for (const pattern of [
    "*",
    "*.ts",
    "src/*",
    "**/*.json",
    ".eslintrc*",
    "environment*",
    ".env",
    "?",
    "*.py",
    "*.ts*",
    "*.{js,ts}",
  ])
    assert.ok(!mayNameSecretFile(pattern), pattern);
});
