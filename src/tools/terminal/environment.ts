/** The environment of commands, checked when a command runs: keys may have become known since it was divided. */

/** Variables whose value does not contain a known key. */
export function withoutKnownKeys(
  environment: Readonly<Record<string, string>>,
  redact: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => redact(value) === value));
}
