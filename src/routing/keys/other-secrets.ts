/** Secrets of the config that belong to no provider. They are hidden like keys, and no command gets them. */
import type { Config, SearchConfig } from "../../config-schema.ts";
import { looksLikeSecret, mayBeKey, namesSecret } from "../../secret.ts";
import { type Environment, Template } from "../../template.ts";
import type { NamedTemplate } from "./credentials.ts";

export function otherSecrets({ notify, web, mcp_servers: servers }: Config, env: Environment): NamedTemplate[] {
  const { webhook } = notify;
  return [
    ...(webhook === undefined
      ? []
      : [
          ...urlSecret("notify.webhook.url", webhook.url),
          ...(webhook.secret === undefined ? [] : [{ name: "notify.webhook.secret", template: webhook.secret }]),
          ...headerSecrets("notify.webhook.headers", webhook.headers),
        ]),
    ...searchSecrets(web.search),
    ...Object.entries(servers).flatMap(([name, { url, headers = {}, env: variables = {} }]) => {
      const place = `mcp_servers.${name}`;
      return [
        ...(url === undefined ? [] : urlSecret(`${place}.url`, url)),
        ...headerSecrets(`${place}.headers`, headers),
        ...Object.entries(variables)
          .filter(([variable, template]) => isSecretVariable(variable, template, env))
          .map(([variable, template]) => ({ name: `${place}.env.${variable}`, template })),
      ];
    }),
  ];
}

/** The key of the search engine; one that a command prints is known only once it has run. */
function searchSecrets({ api_key, api_key_env }: Partial<SearchConfig> = {}): NamedTemplate[] {
  return [
    ...(api_key === undefined ? [] : [{ name: "web.search.api_key", template: api_key }]),
    ...(api_key_env === undefined ? [] : [{ name: api_key_env, template: new Template(`\${${api_key_env}}`) }]),
  ];
}

function urlSecret(name: string, url: Template): NamedTemplate[] {
  return url.variables.length === 0 ? [] : [{ name, template: url }];
}

function headerSecrets(place: string, headers: Record<string, Template>): NamedTemplate[] {
  return Object.entries(headers)
    .filter(([name, { variables }]) => namesSecret(name) || variables.length > 0)
    .map(([name, template]) => ({ name: `${place}.${name}`, template }));
}

/** Variables that a program gets may also be paths, levels and the like, which are in other texts too. */
function isSecretVariable(name: string, template: Template, env: Environment): boolean {
  const expanded = template.expand(env);
  const value = "text" in expanded ? expanded.text : "";
  return looksLikeSecret(name, value) || mayBeKey(value) || template.variables.some((each) => !isPlain(each, env));
}

/** Paths, URLs, addresses, numbers, and words such as `production`: what a config repeats, rather than hides. */
const PLAIN_VALUE = /^([~./]|https?:\/\/|[\d.:]+$|[A-Za-z]{1,20}$|[\w.+-]+@|[a-z]{2}_[A-Z]{2}\b)/;

function isPlain(name: string, env: Environment): boolean {
  const value = env[name] ?? "";
  return !looksLikeSecret(name, value) && !mayBeKey(value) && (PLAIN_VALUE.test(value) || value.includes(":/"));
}
