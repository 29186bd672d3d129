/**
 * The proxy of a request, from the variables that other programs read too. Requests to this machine never take one, nor
 * do unencrypted ones to the local network: a proxy would read their key, and is meant for what lies outside.
 */
import { BlockList, isIP } from "node:net";
import { nearnessOf } from "../../base-url.ts";
import type { Environment } from "../../template.ts";
import { portOf } from "../../web-host.ts";

/** @param environment source of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in upper or lower case */
export function proxyFor(url: URL, environment: Environment): string | undefined {
  const http = environment.http_proxy ?? environment.HTTP_PROXY ?? "";
  const https = environment.https_proxy ?? environment.HTTPS_PROXY ?? "";
  const proxy = (url.protocol === "https:" && https) || http;
  if (proxy.trim() === "" || isNear(url)) return undefined;
  const exceptions = (environment.no_proxy ?? environment.NO_PROXY ?? "").split(/[\s,;]+/).filter(Boolean);
  if (exceptions.some((exception) => covers(exception.toLowerCase(), url))) return undefined;
  return /^[a-z][\w+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function isNear({ protocol, origin }: URL): boolean {
  const nearness = nearnessOf(origin);
  return nearness === "loopback" || (nearness === "private" && protocol === "http:");
}

/**
 * Returns whether an entry of `NO_PROXY` covers a URL: `*`, `example.com` with its subdomains (also as `.example.com` or
 * `*.example.com`), an address, `10.0.0.0/8`, `10.*`; each may have a port.
 */
function covers(exception: string, url: URL): boolean {
  const [, entry = "", entryPort] = /^(\[[^\]]*\](?:\/\d+)?|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(exception) ?? [];
  if (entryPort !== undefined && entryPort !== portOf(url)) return false;
  const host = url.hostname.replace(/^\[|\]$|\.$/g, "");
  const name = entry.replace(/^\*?\.|[[\]]|\.$/g, "");
  if (name === "*") return true;
  if (name.includes("/")) return isInSubnet(host, name);
  if (name.endsWith(".*")) return host.startsWith(name.slice(0, -1));
  if (isIP(host) > 0) return isIP(name) > 0 && isInSubnet(host, `${name}/${isIP(name) === 4 ? 32 : 128}`);
  return host === name || host.endsWith(`.${name}`);
}

function isInSubnet(host: string, subnet: string): boolean {
  const [network = "", length = ""] = subnet.split("/");
  if (isIP(host) === 0 || isIP(network) === 0 || !/^\d+$/.test(length)) return false;
  if (Number(length) > (isIP(network) === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), isIP(network) === 4 ? "ipv4" : "ipv6");
  return list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}
