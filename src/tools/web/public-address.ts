/**
 * The guard against private addresses. An IPv6 address is public only in the block of global unicast addresses, which
 * leaves out every form that stands for an IPv4 address (mapped, compatible, NAT64) and all local ones.
 */
import { BlockList, isIP } from "node:net";

/** https://www.iana.org/assignments/iana-ipv4-special-registry, and one address of a cloud. */
const NOT_PUBLIC_IPV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32", // Azure's metadata and DNS, only from inside a virtual machine.
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];
/** https://www.iana.org/assignments/iana-ipv6-special-registry, within 2000::/3. */
const NOT_PUBLIC_IPV6 = [
  "2001::/23", // Teredo, benchmarks, identifiers.
  "2001:db8::/32",
  "2002::/16", // 6to4.
  "3fff::/20",
];

export type AddressGuard = (address: string) => boolean;

/** Creates the check of whether an address is public. */
export function createAddressGuard(): AddressGuard {
  const refused = new BlockList();
  for (const subnet of NOT_PUBLIC_IPV4) add(refused, subnet, "ipv4");
  for (const subnet of NOT_PUBLIC_IPV6) add(refused, subnet, "ipv6");
  const global = new BlockList();
  add(global, "2000::/3", "ipv6");
  return (address) => {
    if (isIP(address) === 4) return !refused.check(address, "ipv4");
    // A zone (`fe80::1%eth0`) makes it an address of a local network.
    return (
      isIP(address) === 6 && !address.includes("%") && global.check(address, "ipv6") && !refused.check(address, "ipv6")
    );
  };
}

function add(list: BlockList, subnet: string, family: "ipv4" | "ipv6"): void {
  const [network = "", length] = subnet.split("/");
  list.addSubnet(network, Number(length), family);
}
