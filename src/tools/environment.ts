/** The environment that commands of children get: that of Deputy, without what looks like, or holds, a key. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** `AWS_SECRET_ACCESS_KEY`, `AWS_ACCESS_KEY_ID`, `GITHUB_TOKEN`, `PGPASSWORD`, `GOOGLE_APPLICATION_CREDENTIALS`. */
const LIKE_A_KEY = /(^|_)(API)?KEYS?(_|$)|(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIAL|APIKEY)S?(_|$)|_PWD$/i;

/**
 * @param keyVariables names that hold a provider's key: never passed on
 * @param allowed names that look like a key's and are passed on all the same, unless what they hold is a known key
 * @param redact finds known keys, whatever they are called
 */
export function scrubEnvironment(
  environment: Environment,
  keyVariables: readonly string[],
  allowed: readonly string[],
  redact: (text: string) => string,
): Record<string, string> {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || keyVariables.includes(name) || redact(value) !== value) continue;
    if (LIKE_A_KEY.test(name) && !allowed.includes(name)) continue;
    clean[name] = value;
  }
  return clean;
}
