/** Recognition of secrets: one check, by name and by value. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BUILT_IN_PROVIDERS } from "../src/routing/catalog/built-in-providers.ts";
import { looksLikeSecret } from "../src/secret.ts";

const NAMES = `PGPASSWORD AWS_ACCESS_KEY_ID ANTHROPIC_API_KEY_2 DB_PWD GITHUB_TOKENS MY_SECRETS githubToken GH_PAT
  REDISCLI_AUTH DOCKER_AUTH_CONFIG NPM_CONFIG__AUTH npm_config_//host/:_authToken MYSQL_PWD DB_PASS SSHPASS SENTRY_DSN JWT
  COOKIE PRIVATE_KEY AUTHTOKEN MY_APIKEY STRIPEKEY GitHubPAT authorization x-api-key BASIC_AUTH_2 WIFI_PSK AWS_CREDS
  GOOGLE_APPLICATION_CREDENTIALS SECRET_KEY_BASE TOKENVALUE GPG_PASSPHRASE dbPwd KEY SSH_KEYS SLACK_WEBHOOK
  PW ROOT_PW dbPw STRIPE_SK SORT_KEY_SECRET`.split(/\s+/);

const letters = (length: number) => "a1B2".repeat(length / 4);
const VALUES = [
  "postgres://u:p@h/db",
  "redis://:pass@h:6379",
  "http://me:p%40ss@proxy:3128",
  "me:pass@proxy:3128",
  "https://0123456789abcdef0123456789abcdef@sentry.io/1",
  `sk-proj-${letters(24)}`,
  `ghp_${letters(36)}`,
  `github_pat_${letters(40)}`,
  "AKIAIOSFODNN7EXAMPLE",
  "xoxb-1234567890-abcdef",
  `glpat-${letters(20)}`,
  "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
  "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl",
  "Server=h;User=u;Password=hunter2;",
  '{"user":"u","token":"abcd"}',
  "https://h/path?api_key=abcdef",
  '{"type":"service_account","private_key":"abcdef"}',
  '{"privateKey": "abcdef"}',
  "signing-key: abcdef",
  "Authorization: Bearer abcdefgh",
  `curl -H "X: sk-${letters(24)}"`,
];

const PLAIN: Record<string, string> = {
  PATH: "/usr/bin:/opt/sk-learn-2024-environments/bin",
  PWD: "/work",
  OLDPWD: "/before",
  KEYBOARD_LAYOUT: "us",
  MONKEY: "banana",
  HOTKEY: "F1",
  SECRETARY: "Bob",
  GIT_AUTHOR_NAME: "Ann",
  XAUTHORITY: "/run/user/1/xauth",
  SSH_AUTH_SOCK: "/tmp/agent.1",
  SSH_ASKPASS: "/usr/bin/askpass",
  TOKENIZERS_PARALLELISM: "maybe",
  MAX_TOKENS: "4096",
  TOKEN_TTL: "15m",
  PASSWORD_MIN_LENGTH: "12",
  USE_AUTH: "true",
  PASSWORD_STORE_DIR: "/home/x/.password-store",
  TOKEN_FILE: "~/.config/token",
  SSH_KEY_PATH: "./keys/id_ed25519",
  secretsDir: "/run/secrets",
  SORT_KEY: "created_at",
  PRIMARY_KEY: "id",
  partitionKey: "user.id,date",
  LESSKEY: "/home/x/.lesskey",
  SALT: "pinch",
  OAUTH: "google",
  OAUTH_HOST: "login.example.org:8443",
  OAUTH_URL: "https://h/oauth2",
  PRIVATE_NETWORK: "10.0.0.0",
  GOPRIVATE: "github.com/corp2/*",
  PRIVATE_REGISTRY: "registry2.corp.example/team",
  SEED: "42",
  P12_PATH: "/etc/cert2.p12",
  AUTH_URL: "https://h/login",
  XDG_RUNTIME_DIR: "/run/user/1",
  GPG_TTY: "/dev/pts/1",
  LS_COLORS: "rs=0:di=01;34:*.tar=01;31:*.key=00;33",
  NODE_OPTIONS: "--max-old-space-size=4096 --import data:text/javascript,x",
  NODE_EXTRA_CA_CERTS: "/etc/ca.pem",
  HTTPS_PROXY: "http://proxy.corp:3128",
  NO_PROXY: "localhost,.corp",
  DATABASE_URL: "postgres://db.local:5432/app?mail=a@b",
  REGISTRY: "https://registry:4873/@scope/x",
  IPV6: "http://[::1]:8080/@x",
  IMAGE: "node:24@sha256:ab12",
  CONTACT: "mailto:ann@host.org",
  REPOSITORY: "ssh://git@github.com/a/b",
  CERTIFICATE: "-----BEGIN CERTIFICATE-----\nMII",
  DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/1/bus,guid=4a4a4a4a4a4a4a4a",
  LANGUAGE: "sk-SK:en",
};

test("names of secrets are secrets, whatever their value", () => {
  for (const name of NAMES) assert.ok(looksLikeSecret(name, "x"), name);
});

test("ambiguous names are secrets if the value looks like one", () => {
  for (const name of ["SALT", "OAUTH", "SSH_PRIVATE", "SIGNING_CERT_P12", "sessionSalt", "HMAC"])
    for (const value of [`SECV_${name}_0123456789`, "a1b2c3d4e5f6", "kQzTpWmNvB==", "0f/3+Zk9aQ=="])
      assert.ok(looksLikeSecret(name, value), `${name}=${value}`);
});

test("a name of a path or a column does not hide a value", () => {
  for (const [name, value] of [
    ["PASSWORD_FILE", "hunter2"],
    ["TOKEN_DIR", "s3cr3t/x"],
    ["PRIMARY_KEY", "Zm9vYmFyMTIzNDU2Nzg5MA=="],
    ["SORT_KEY", `sk-${letters(24)}`],
    ["PASSWORD", "/home/x"],
  ] as const)
    assert.ok(looksLikeSecret(name, value), `${name}=${value}`);
});

test("every key variable of the provider table is a secret", () => {
  for (const { name } of BUILT_IN_PROVIDERS.flatMap(({ keys }) => keys)) assert.ok(looksLikeSecret(name, "x"), name);
});

test("values that are or contain a secret are secrets, whatever they are called", () => {
  for (const value of VALUES) assert.ok(looksLikeSecret("PLAIN", value), value);
});

test("values that only resemble a secret are plain", () => {
  for (const [name, value] of Object.entries(PLAIN)) assert.ok(!looksLikeSecret(name, value), `${name}=${value}`);
});

test("a telling word makes a secret in any case, number and company", () => {
  const word = fc.constantFrom(
    "password",
    "passwd",
    "secret",
    "token",
    "credential",
    "api_key",
    "key",
    "pwd",
    "pat",
    "dsn",
  );
  const company = fc.array(fc.constantFrom("db", "my", "aws", "k8s", "prod", "2", "old", "value", "id"), {
    maxLength: 2,
  });
  const style = fc.constantFrom(
    (words: string[]) => words.join("_").toUpperCase(),
    (words: string[]) => words.join("_"),
    (words: string[]) => words.join("-"),
    (words: string[]) => words.map((each, at) => (at === 0 ? each : each[0]?.toUpperCase() + each.slice(1))).join(""),
  );
  const named = fc.record({ before: company, word, plural: fc.constantFrom("", "s"), after: company, style });
  fc.assert(
    fc.property(named, ({ before, word, plural, after, style }) => {
      // By itself, it is the working directory of a shell.
      fc.pre(word !== "pwd" || before.some((each) => each !== "2" && each !== "old"));
      const name = style([...before, word + (word === "pwd" ? "" : plural), ...after]);
      assert.ok(looksLikeSecret(name, "x"), name);
    }),
    { numRuns: 500 },
  );
});

test("a password in a URL makes a secret, whatever the scheme, user and host", () => {
  const part = fc.stringMatching(/^[a-z][\w.~-]{0,12}$/);
  fc.assert(
    fc.property(part, part, part, (scheme, password, host) => {
      assert.ok(looksLikeSecret("PLAIN", `${scheme.replace(/[_~]/g, "")}://user:${password}@${host}:5432/x`));
      assert.ok(!looksLikeSecret("PLAIN", `http://${host}:5432/${part}`));
    }),
  );
});
