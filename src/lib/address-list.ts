import { BlockList, isIP } from 'node:net';

/** Addresses and CIDR blocks, e.g. ["127.0.0.1", "10.0.0.0/8", "::1/128"]. */
export class AddressList {
  readonly #list = new BlockList();

  /** @throws TypeError for an entry that is neither an address nor a CIDR block. */
  constructor(entries: readonly string[]) {
    for (const entry of entries) this.#add(entry);
  }

  /** IPv4 written as IPv6 (::ffff:127.0.0.1, as dual-stack sockets report it) is the IPv4 address. */
  has(address: string | undefined): boolean {
    const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? '';
    const family = isIP(plain);
    return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');
  }

  #add(entry: string): void {
    const [network = '', prefix, ...rest] = entry.split('/');
    const family = isIP(network);
    const bits = prefix === undefined ? (family === 6 ? 128 : 32) : Number(prefix);
    const valid =
      family !== 0 && rest.length === 0 && prefix !== '' && Number.isInteger(bits) && bits >= 0 && bits <= (family === 6 ? 128 : 32);
    if (!valid) throw new TypeError(`"${entry}" is neither an IP address nor a CIDR block`);
    this.#list.addSubnet(network, bits, family === 6 ? 'ipv6' : 'ipv4');
  }
}
