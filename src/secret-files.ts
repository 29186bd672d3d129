/**
 * Names of files that usually hold secrets. They are recognized by name alone, in any case: reading the content to
 * decide would be reading it. Sources: the signatures of gitrob and git-secrets, the allow lists and rules of gitleaks,
 * the default ignore list of Cursor, opencode's default for `*.env`, GitHub's .gitignore templates, and the
 * documentation of each program that is named.
 */
import { compileStars } from "./text/star-pattern.ts";

/** `*` is any number of characters of one name. A name with `/` is a file in such a directory. */
const SECRET_FILES = [
  // Environments
  ...[".env", ".env.*", ".env-*", ".env_*", "*.env", "*.env.local", ".envrc", ".dev.vars", ".dev.vars.*"],
  // Private keys and key stores
  ...["*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.ppk", "*.jks", "*.keystore", "*.bks", "*.keytab"],
  ...["*.kdb", "*.kdbx", "*.psafe3", "*.agekey", "*.ovpn", "*.keychain", "*.keychain-db", "secring.*"],
  ...["id_*", "*_rsa", "*_dsa", "*_ecdsa", "*_ed25519", "ssh_host_*_key", "private-keys-v1.d/*"],
  // Credentials of package managers, git and databases
  ...[".netrc", "_netrc", ".npmrc", ".pypirc", ".cargo/credentials.toml", "composer/auth.json"],
  ...[".git-credentials", "gh/hosts.yml", ".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf"],
  // Credentials of clouds, containers and servers
  ...[
    "credentials",
    ".credentials",
    "credentials.json",
    ".credentials.json",
    "credentials.tfrc.json",
    "client_secret*.json",
  ],
  ...["service-account*.json", "service_account*.json", "*-service-account.json", "*_service_account.json"],
  ...["application_default_credentials.json", "credentials.db", "access_tokens.db", "msal_token_cache.*"],
  ...["accesstokens.json", ".docker/config.json", ".dockercfg", ".dockerconfigjson", ".kube/config", "kubeconfig"],
  ...["*.kubeconfig", ".s3cfg", ".boto", ".passwd-s3fs", "rclone.conf", ".htpasswd", ".htdigest", ".vault-token"],
  ...["*.tfstate", "*.tfvars", "*.tfvars.json", ".codex/auth.json", "opencode/auth.json"],
  // Files named after what they hold
  ...["secrets.yml", "secrets.yaml", "secrets.json", "secrets.toml", "secret.yml", "secret.yaml", "secret.json"],
  ...[".secret", ".secrets", "secret_token.rb"],
  // What was typed
  ...[".*_history", "fish_history"],
];

/** Files of these names that hold no secret: templates, public keys, and code whose name starts with `id_`. */
const OTHERS = [
  /(?:^|[/._-])(?:example|sample|template|tmpl|dist|defaults?|schema)(?:\.env)?$/,
  /\.pub$/,
  /(?:^|\/)id_(?!(?:rsa|dsa|ecdsa|ed25519|xmss)(?![a-z\d]))[^/]*\./,
];

/** A copy is as secret as the file. */
const COPY = /(?:~|\.(?:bak|backup|old|orig|save|copy|swp)|\.\d+)$/;

const EXTENSION = /^\*\.[^.*]+$/;
/** The table by the way of looking a name up: a search judges every file that it finds. */
const EXACT = new Set(SECRET_FILES.filter((name) => !name.includes("*")));
const EXTENSIONS = new Set(SECRET_FILES.filter((name) => EXTENSION.test(name)).map((name) => name.slice(1)));
const PATTERNS = SECRET_FILES.filter((name) => name.includes("*") && !EXTENSION.test(name)).map(compileStars);

/** Returns whether a file of this path usually holds secrets. */
export function isSecretFile(path: string): boolean {
  const start = path.lastIndexOf("/") + 1;
  const name = path.slice(start).toLowerCase();
  const original = name.replace(COPY, "");
  const inDirectory = path.slice(path.lastIndexOf("/", start - 2) + 1, start).toLowerCase() + original;
  const isListed =
    EXACT.has(original) ||
    EXACT.has(inDirectory) ||
    EXTENSIONS.has(original.slice(Math.max(0, original.lastIndexOf(".")))) ||
    PATTERNS.some((matches) => matches(original) || matches(inDirectory));
  return isListed && !OTHERS.some((other) => other.test(name));
}

/** Returns whether a pattern of a shell (`*`, `?`, `[…]`) may name such a file: `.e*`, `id_??a`, `*.p[e]m`. */
export function mayNameSecretFile(pattern: string): boolean {
  if (!/[*?[]/.test(pattern)) return false;
  const stars = pattern
    .toLowerCase()
    .replaceAll(/\[([^\]])\]/g, "$1")
    .replaceAll(/\?|\[[^\]]*\]/g, "*");
  const name = stars.slice(stars.lastIndexOf("/") + 1);
  const extension = name.slice(Math.max(0, name.lastIndexOf(".")));
  return (
    isSecretFile(name.replaceAll("*", "x")) ||
    (name.indexOf("*") >= (name.startsWith(".") ? 1 : CERTAIN_CHARACTERS) && EXAMPLES.some(compileStars(name))) ||
    (extension.replaceAll("*", "").length > CERTAIN_CHARACTERS && [...EXTENSIONS].some(compileStars(extension)))
  );
}

/** With fewer of them, a pattern means many files rather than this one. */
const CERTAIN_CHARACTERS = 2;
const EXAMPLES = SECRET_FILES.map((name) => name.slice(name.lastIndexOf("/") + 1).replaceAll("*", "x"));
