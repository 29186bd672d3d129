/**
 * Names of files that usually hold secrets. They are recognized by name alone, in any case: reading the content to
 * decide would be reading it. Sources: the signatures of gitrob and git-secrets, the allow lists and rules of gitleaks,
 * the default ignore list of Cursor, opencode's default for `*.env`, GitHub's .gitignore templates, and the
 * documentation of each program that is named.
 */

/** `*` is any number of characters of one name. A name with `/` is a file in such a directory. */
const SECRET_FILES = [
  // Environments
  ...[".env", ".env.*", ".env-*", ".env_*", "*.env", "*.env.local", ".envrc", ".dev.vars", ".dev.vars.*"],
  // Private keys and key stores
  ...["*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.ppk", "*.jks", "*.keystore", "*.bks", "*.keytab"],
  ...["*.kdb", "*.kdbx", "*.psafe3", "*.agekey", "*.ovpn", "*.keychain", "*.keychain-db", "secring.*"],
  ...["id_*", "*_rsa", "*_dsa", "*_ecdsa", "*_ed25519", "ssh_host_*_key", "private-keys-v1.d/*"],
  // Credentials of package managers, git, databases and clouds
  ...[".netrc", "_netrc", ".npmrc", ".pypirc", ".git-credentials", ".pgpass", "pgpass.conf", ".my.cnf"],
  ...["credentials", ".credentials", "credentials.json", ".credentials.json", "service-account*.json"],
  ...[".docker/config.json", ".dockercfg", ".kube/config", "kubeconfig", ".s3cfg", ".htpasswd", ".vault-token"],
  ...["secrets.yml", "secrets.yaml", "secrets.json", "secrets.toml", ".secret", ".secrets", ".*_history"],
];

/** Files of these names that hold no secret: templates, public keys, and code whose name starts with `id_`. */
const OTHERS = [
  /(?:^|[/._-])(?:example|sample|template|tmpl|dist|defaults?|schema)(?:\.env)?$/,
  /\.pub$/,
  /(?:^|\/)id_(?!(?:rsa|dsa|ecdsa|ed25519|xmss)(?![a-z\d]))[^/]*\./,
];

/** A copy is as secret as the file. */
const COPY = String.raw`(?:~|\.(?:bak|backup|old|orig|save|copy|swp)|\.\d+)?`;

const SECRET_FILE = new RegExp(`(?:^|/)(?:${SECRET_FILES.map(expressionOf).join("|")})${COPY}$`);

/** Longer than the name of a file and of its directory can be. */
const TOO_LONG = 512;

/** Returns whether a file of this path usually holds secrets. */
export function isSecretFile(path: string): boolean {
  const name = path.slice(path.lastIndexOf("/", path.lastIndexOf("/") - 1) + 1).toLowerCase();
  return name.length < TOO_LONG && SECRET_FILE.test(name) && !OTHERS.some((other) => other.test(name));
}

function expressionOf(name: string): string {
  return name.split("*").map(RegExp.escape).join("[^/]*");
}
