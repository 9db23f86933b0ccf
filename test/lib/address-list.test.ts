import { AddressList } from '../../src/lib/address-list.ts';

test('AddressList knows single addresses, blocks, IPv6, and IPv4 written as IPv6', () => {
  const list = new AddressList(['127.0.0.1', '10.1.0.0/16', '::1/128', '2001:db8::/32']);
  for (const inside of ['127.0.0.1', '10.1.255.3', '::1', '2001:db8:5::1', '::ffff:10.1.2.3'])
    expect([inside, list.has(inside)]).toEqual([inside, true]);
  for (const outside of ['127.0.0.2', '10.2.0.1', '::2', '2001:db9::1', '::ffff:10.2.0.1', '', 'localhost', undefined]) {
    expect([outside, list.has(outside)]).toEqual([outside, false]);
  }
});

test('an empty AddressList lets nobody in', () => {
  expect(new AddressList([]).has('127.0.0.1')).toBe(false);
});

test.each(['localhost', '10.0.0.0/33', '::1/129', '10.0.0.0/', '10.0.0.0/8/8', '10.0.0/8', ''])('AddressList refuses "%s"', (entry) => {
  expect(() => new AddressList([entry])).toThrow(TypeError);
});
