import { parsePeersOptions } from './options.ts';

const parse = (...args: string[]) => parsePeersOptions(args, '/home/someone');

describe('parsePeersOptions', () => {
  test('measures the usual rows beside the peer when nothing is said', () => {
    expect(parse()).toEqual({ calls: [1, 10, 50, 100], peerMax: 25, turns: 5, repeat: 1, jsonFile: null });
  });

  test('takes rows, turns and repeats, and a file beside the caller of npm', () => {
    const options = parse('--calls', '1,200', '--turns', '3', '--repeat', '2', '--peer-max', '10', '--json', 'out.json');
    expect(options).toEqual({ calls: [1, 200], peerMax: 10, turns: 3, repeat: 2, jsonFile: '/home/someone/out.json' });
  });

  test('leaves the peer out, whatever --peer-max says', () => {
    expect(parse('--no-peer', '--peer-max', '10')).toMatchObject({ peerMax: 0 });
  });

  test.each([
    [['--calls', '0'], /--calls takes numbers from 1/],
    [['--calls', '1,,2'], /--calls/],
    [['--calls', '10,10'], /twice/],
    [['--turns', '1.5'], /--turns/],
    [['--calls', '1001'], /1000/],
    [['--peers'], /--peers/],
  ])('refuses %j', (args, message) => {
    expect(() => parse(...args)).toThrow(message);
  });

  test('explains itself', () => {
    expect(parse('-h')).toBe('help');
  });
});
