/**
 * Asks providers for their model lists, concurrently and independently: a failure affects only its provider. A provider
 * that responds has accepted the key, unless its list is public; the key is then tried at a protected endpoint.
 */

import { withQuery } from "../../child/wire/endpoint-query.ts";
import { failureOf } from "../../child/wire/failure/failure.ts";
import { getJson } from "../../child/wire/get-json.ts";
import { createVersionTrial } from "../../child/wire/missing-version.ts";
import type { Transport } from "../../child/wire/transport.ts";
import type { Clock } from "../../clock.ts";
import { stateDir } from "../../config/trust.ts";
import { DeputyError, type Failure } from "../../errors.ts";
import type { ApiMode, Endpoint } from "../../route.ts";
import { saveLists } from "../../routing/catalog/list-cache.ts";
import { listRequest, type ModelList, readModelList } from "../../routing/catalog/model-list.ts";
import { apiModeOf, defaultModelOf, type Provider } from "../../routing/catalog/providers.ts";
import type { Routing } from "../../routing/routing.ts";
import type { Lease } from "../../secret.ts";
import { present } from "../../values/present.ts";
import { openTransport } from "./open-transport.ts";
import { createSetups, type SetupPlace } from "./setup.ts";

/** Longest wait for one provider, in milliseconds. */
const ANSWER_MS = 10_000;

/** `keyTried: false`: the provider responded without checking the key. `hasNoList`: it was not asked. */
export type ProviderAnswer = { provider: string; baseUrl: string; keyName?: string } & (
  | { models: ModelList; keyTried: boolean }
  | { failure: Failure }
  | { hasNoList: true }
);

/**
 * Asks every provider that could run something now, or only the named one, and caches their lists in the state
 * directory for offline use.
 * @throws DeputyError `usage` for an unknown provider; `nothing-to-run` if there is none to ask
 */
export async function refreshLists(place: SetupPlace, clock: Clock, only?: string): Promise<ProviderAnswer[]> {
  const answers = (await askProviders(place, clock, only)).map(withoutEmptyList);
  const fetched = answers.flatMap((answer) => ("models" in answer ? [answer] : []));
  const lists = fetched.map(({ provider, baseUrl, models }) => ({ provider, baseUrl, models }));
  if (lists.length > 0) saveLists(stateDir(place.env), lists, new Date(clock.now()));
  return answers;
}

/** An empty list says nothing of the models that can run, so it does not replace what is known. */
function withoutEmptyList(answer: ProviderAnswer): ProviderAnswer {
  if (!("models" in answer) || Object.keys(answer.models).length > 0) return answer;
  const { provider, baseUrl, keyName } = answer;
  const message = `${provider} answered with an empty list of models. The models known so far are kept.`;
  return { provider, baseUrl, ...present({ keyName }), failure: { kind: "malformed-response", message } };
}

/**
 * Asks without caching. @throws as `refreshLists`
 * @param withEachKey asks once with every key of a provider's pool, else with one of them
 */
export async function askProviders(
  place: SetupPlace,
  clock: Clock,
  only?: string,
  withEachKey = false,
): Promise<ProviderAnswer[]> {
  const { routing } = createSetups(place)();
  const providers = only === undefined ? routing.credentials.usable() : [providerNamed(only, routing)];
  if (providers.length === 0) throw new DeputyError("nothing-to-run", "No provider has a key. See deputy doctor.");
  const transport = openTransport(place.env);
  try {
    return await askAll(providers, { routing, transport, clock }, withEachKey);
  } finally {
    await transport.close();
  }
}

export type AskDeps = { routing: Pick<Routing, "credentials">; transport: Transport; clock: Clock };

/** Returns one response per provider, or per key, in order. */
export async function askAll(
  providers: readonly Provider[],
  deps: AskDeps,
  withEachKey = false,
): Promise<ProviderAnswer[]> {
  const answers = await Promise.all(providers.map((provider) => askOne(provider, deps, withEachKey)));
  return answers.flat();
}

function providerNamed(name: string, { providers }: Routing): Provider {
  const found = providers.find(name);
  if ("problem" in found) throw new DeputyError("usage", found.problem.message);
  return found.provider;
}

async function askOne(provider: Provider, deps: AskDeps, withEachKey: boolean): Promise<ProviderAnswer[]> {
  const { credentials } = deps.routing;
  const { slug } = provider;
  const found = credentials.find(provider);
  if (!("connection" in found)) return [{ provider: slug, baseUrl: "", failure: notUsable(slug, found) }];
  const { baseUrl, query, keys } = found.connection;
  if (provider.builtIn?.hasNoList) return [{ provider: slug, baseUrl, hasNoList: true }];
  const apiMode = apiModeOf(provider, found.connection, defaultModelOf(provider) ?? "");
  const timeout = new AbortController();
  const stopTimer = deps.clock.after(ANSWER_MS, () => timeout.abort());
  const lend = () => credentials.lease({ provider: slug, endpoint: { baseUrl, apiMode } }, timeout.signal);
  // Leases all keys before releasing any, so that each is a different key of the pool.
  const leases = await Promise.all(Array.from({ length: withEachKey ? Math.max(1, keys.length) : 1 }, lend));
  try {
    const asked = { provider, baseUrl, query, apiMode };
    return await Promise.all(leases.map((lease) => askWith(lease, asked, deps, timeout.signal)));
  } finally {
    stopTimer();
    for (const lease of leases) lease.release();
  }
}

type ListQuery = { provider: Provider; baseUrl: string; query: Endpoint["query"] | undefined; apiMode: ApiMode };

async function askWith(
  lease: Lease,
  { provider, baseUrl, query, apiMode }: ListQuery,
  { routing, transport, clock }: AskDeps,
  signal: AbortSignal,
): Promise<ProviderAnswer> {
  const { slug } = provider;
  const asked = { provider: slug, baseUrl, ...present({ keyName: lease.keyName }) };
  try {
    if ("failure" in lease) return { ...asked, failure: signal.aborted ? tooSlow(slug) : lease.failure };
    const plain = transport.fetchFor(baseUrl, lease.access);
    const trying = createVersionTrial(baseUrl, apiMode);
    const fetch = trying((input, init) => plain(withQuery(String(input), query), init));
    const { url, headers } = listRequest(baseUrl, apiMode);
    const models = readModelList(await getJson(fetch, url, headers, signal), apiMode);
    if (models === undefined) return { ...asked, failure: noList(slug) };
    const { isTried, keyUrl } = keyCheck(provider, baseUrl);
    if (keyUrl !== undefined) await getJson(fetch, keyUrl, {}, signal);
    return { ...asked, models, keyTried: isTried };
  } catch (error) {
    const { redact } = routing.credentials;
    return { ...asked, failure: signal.aborted ? tooSlow(slug) : failureOf(error, slug, clock.now(), redact) };
  }
}

/** Returns whether the response proves that the key works, and what to ask otherwise. */
function keyCheck({ builtIn }: Provider, baseUrl: string): { isTried: boolean; keyUrl?: string } {
  if (builtIn?.openList === undefined || baseUrl !== builtIn.baseUrl) return { isTried: true };
  const { keyPath } = builtIn.openList;
  return keyPath === undefined ? { isTried: false } : { isTried: true, keyUrl: `${baseUrl}${keyPath}` };
}

function notUsable(slug: string, found: { missing: string[] } | { unusable: string }): Failure {
  const reason = "unusable" in found ? found.unusable : `no key. Looked in ${found.missing.join(", ")}`;
  return { kind: "unauthorized", message: `${slug}: ${reason}` };
}

function noList(slug: string): Failure {
  return { kind: "malformed-response", message: `${slug} did not answer with a list of models` };
}

function tooSlow(slug: string): Failure {
  return { kind: "stalled", message: `${slug} did not answer within ${ANSWER_MS / 1000} seconds` };
}
