/**
 * The endpoints of clouds: an account has an address of its own, which several variables name. A row of the provider
 * table refers to its cloud here. A value becomes part of a host name only if it is a single label, so that no value
 * can move a key to another host.
 */
import { parseBaseUrl } from "../../base-url.ts";
import type { Environment } from "../../template.ts";
import { present } from "../../values/present.ts";

export type CloudEndpoint = {
  baseUrl: string;
  /** Sent with every request. */
  query?: Readonly<Record<string, string>>;
};

export type Cloud = {
  /** The variables that name the endpoint, in order; a message lists them if none is set. */
  variables: readonly string[];
  /** The endpoint that the variables name. Undefined if too few are set; `unusable` if one has an invalid value. */
  endpointIn(env: Environment): CloudEndpoint | { unusable: string } | undefined;
  /** Completes a base URL as people paste it. */
  complete(url: URL, env: Environment): CloudEndpoint;
};

/** The first of these variables that is set. */
function firstSet(env: Environment, names: readonly string[]): { name: string; value: string } | undefined {
  return names.map((name) => ({ name, value: env[name]?.trim() ?? "" })).find(({ value }) => value !== "");
}

/** The endpoint in the first of these variables that is set. */
function writtenIn(
  env: Environment,
  names: readonly string[],
  complete: Cloud["complete"],
): CloudEndpoint | { unusable: string } | undefined {
  const written = firstSet(env, names);
  if (written === undefined) return undefined;
  const parsed = parseBaseUrl(written.value);
  if ("expected" in parsed) return { unusable: `${written.name}: expected ${parsed.expected}` };
  return complete(parsed.url, env);
}

function notALabel(name: string, what: string): { unusable: string } {
  return { unusable: `${name}: expected ${what} of letters, digits and dashes` };
}

const isLabel = (word: string) => /^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/i.test(word);

function pathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, "");
}

// Azure OpenAI --------------------------------------------------------------------------------------------------------

const AZURE_URLS = ["AZURE_OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "AZURE_API_BASE"];
const AZURE_RESOURCES = ["AZURE_RESOURCE_NAME", "AZURE_OPENAI_RESOURCE_NAME"];
const AZURE_VERSIONS = ["AZURE_OPENAI_API_VERSION", "AZURE_API_VERSION", "OPENAI_API_VERSION"];
/** The last version of the API whose paths name a deployment. */
const AZURE_DEPLOYMENT_VERSION = "2024-10-21";

/**
 * learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle: the v1 API needs no version; with the older one, a
 * deployment is part of the path and a dated version part of the query, as in the address that the portal shows.
 */
export const AZURE: Cloud = {
  variables: [...AZURE_URLS, ...AZURE_RESOURCES],
  endpointIn(env) {
    const written = writtenIn(env, AZURE_URLS, AZURE.complete);
    const resource = firstSet(env, AZURE_RESOURCES);
    if (written !== undefined || resource === undefined) return written;
    if (!isLabel(resource.value)) return notALabel(resource.name, "the name of a resource,");
    return AZURE.complete(new URL(`https://${resource.value}.openai.azure.com`), env);
  },
  complete(url, env) {
    const version = url.searchParams.get("api-version") ?? firstSet(env, AZURE_VERSIONS)?.value;
    const path = pathOf(url).replace(/\/(chat\/completions|completions|responses|messages|models)$/, "");
    if (/\/openai\/deployments(\/|$)/.test(path))
      return { baseUrl: url.origin + path, query: { "api-version": version ?? AZURE_DEPLOYMENT_VERSION } };
    const whole = path === "" ? "/openai/v1" : path === "/openai" ? "/openai/v1" : path;
    // A dated version belongs to the older API: v1 refuses it.
    const query =
      version !== undefined && /^(preview|latest|v1)$/.test(version) ? { "api-version": version } : undefined;
    return { baseUrl: url.origin + whole, ...present({ query }) };
  },
};

// Amazon Bedrock ------------------------------------------------------------------------------------------------------

const AWS_URLS = ["AWS_ENDPOINT_URL_BEDROCK_RUNTIME"];
export const AWS_REGIONS = ["AWS_REGION", "AWS_DEFAULT_REGION"];

/** docs.aws.amazon.com/general/latest/gr/bedrock.html; the variable: docs.aws.amazon.com/sdkref, "Service-specific endpoints". */
export const BEDROCK: Cloud = {
  variables: [...AWS_URLS, ...AWS_REGIONS],
  endpointIn(env) {
    const written = writtenIn(env, AWS_URLS, BEDROCK.complete);
    const region = firstSet(env, AWS_REGIONS);
    if (written !== undefined || region === undefined) return written;
    if (!isLabel(region.value)) return notALabel(region.name, "the name of a region,");
    const domain = region.value.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
    return { baseUrl: `https://bedrock-runtime.${region.value}.${domain}` };
  },
  complete: (url) => ({ baseUrl: url.origin + pathOf(url) }),
};

// Google Vertex AI ----------------------------------------------------------------------------------------------------

const VERTEX_URLS = ["GOOGLE_VERTEX_BASE_URL"];
export const VERTEX_API_KEYS = ["GOOGLE_VERTEX_API_KEY"];
const VERTEX_PROJECTS = ["GOOGLE_VERTEX_PROJECT", "GOOGLE_CLOUD_PROJECT", "ANTHROPIC_VERTEX_PROJECT_ID"];
const VERTEX_LOCATIONS = ["GOOGLE_VERTEX_LOCATION", "GOOGLE_CLOUD_LOCATION", "CLOUD_ML_REGION"];

/**
 * cloud.google.com/vertex-ai/generative-ai/docs/learn/locations: a region's host, the multi-regions' and the global one.
 * With an API key ("express mode") the path names no project.
 */
export const VERTEX: Cloud = {
  variables: [...VERTEX_URLS, ...VERTEX_PROJECTS, ...VERTEX_LOCATIONS],
  endpointIn(env) {
    const written = writtenIn(env, VERTEX_URLS, VERTEX.complete);
    if (written !== undefined) return written;
    if (firstSet(env, VERTEX_API_KEYS) !== undefined) return { baseUrl: "https://aiplatform.googleapis.com/v1" };
    const project = firstSet(env, VERTEX_PROJECTS);
    const location = firstSet(env, VERTEX_LOCATIONS) ?? { name: "", value: "global" };
    if (project === undefined) return undefined;
    if (!isLabel(location.value)) return notALabel(location.name, "the name of a location,");
    return VERTEX.complete(new URL(`https://${vertexHost(location.value)}`), env);
  },
  complete(url, env) {
    const path = pathOf(url).replace(/\/publishers\/[^/]+(\/models)?$/, "");
    const project = firstSet(env, VERTEX_PROJECTS)?.value;
    if (/\/projects\//.test(path) || project === undefined || firstSet(env, VERTEX_API_KEYS) !== undefined)
      return { baseUrl: url.origin + (path === "" ? "/v1" : path) };
    const location = firstSet(env, VERTEX_LOCATIONS)?.value ?? "global";
    const place = `/projects/${encodeURIComponent(project)}/locations/${encodeURIComponent(location)}`;
    return { baseUrl: url.origin + (path === "" ? "/v1" : path) + place };
  },
};

function vertexHost(location: string): string {
  if (location === "global") return "aiplatform.googleapis.com";
  if (location === "us" || location === "eu") return `aiplatform.${location}.rep.googleapis.com`;
  return `${location}-aiplatform.googleapis.com`;
}
