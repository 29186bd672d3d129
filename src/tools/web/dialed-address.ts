/**
 * The addresses at which a page's host is dialed: resolved once, checked, and passed to the connection, so that no other
 * answer of a name server counts.
 */
import { type LookupAddress, lookup } from "node:dns";
import { isIP } from "node:net";
import { promisify } from "node:util";
import { errorCode } from "../../errors.ts";
import { hostName, isOnHost } from "../../web-host.ts";
import { ToolError } from "../tool-error.ts";
import type { AddressGuard } from "./public-address.ts";

export type Resolve = (name: string) => Promise<readonly LookupAddress[]>;

/** The system's own resolver, with its hosts file. */
export const resolveBySystem: Resolve = (name) => promisify(lookup)(name, { all: true });

/** `setting`: the key of the config that opens private hosts. */
export type AddressRules = {
  privateHosts: readonly string[];
  isPublic: AddressGuard;
  resolve: Resolve;
  setting?: "web.private_hosts" | "terminal.network";
};

/** @throws ToolError if the host does not exist, or one of its addresses is private and the operator did not open it */
export async function dialedAddresses(
  url: URL,
  { privateHosts, isPublic, resolve, setting }: AddressRules,
): Promise<readonly LookupAddress[]> {
  const name = hostName(url);
  const literal = name.replace(/^\[|\]$/g, "");
  const family = isIP(literal);
  const found = family > 0 ? [{ address: literal, family }] : await resolved(name, resolve);
  if (privateHosts.some((host) => isOnHost(url, host))) return found;
  const refused = found.find(({ address }) => !isPublic(address));
  if (refused !== undefined) throw new ToolError(refusal(url, family > 0 ? undefined : refused.address, setting));
  return found;
}

async function resolved(name: string, resolve: Resolve): Promise<readonly LookupAddress[]> {
  try {
    const found = await resolve(name);
    if (found.length > 0) return found;
  } catch (error) {
    if (errorCode(error) !== "ENOTFOUND") throw new UnresolvedHost(name, ` (${errorCode(error) ?? "no reason given"})`);
  }
  throw new UnresolvedHost(name, ": it does not exist, or has no address");
}

/** A name without an address here; a proxy may know one. */
export class UnresolvedHost extends ToolError {
  constructor(name: string, reason: string) {
    super(`The host ${name} cannot be found${reason}.`);
  }
}

/** The refusal of a page whose address is not public. */
export function refusal(
  url: URL,
  address?: string,
  setting: NonNullable<AddressRules["setting"]> = "web.private_hosts",
): string {
  const found = address === undefined ? url.host : `${url.host}, which is at ${address}`;
  return (
    `Refused: expected a public address; found ${found}. Private, local and reserved addresses are closed. The user can ` +
    `open this host with ${setting}: [${JSON.stringify(url.host)}] in the config.`
  );
}
