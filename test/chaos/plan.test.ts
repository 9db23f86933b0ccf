import { parseChaosOptions } from './options.ts';
import { allLines, PERSONAS, persona, phases } from './persona.ts';
import { planWaves } from './run-fault.ts';

describe('planWaves', () => {
  test('gathers the first wave on the node that is struck, and greets half of the second', () => {
    const [first, second, ...rest] = planWaves({ calls: 20, width: 10 }, true);
    expect(rest).toEqual([]);
    expect(first?.concentrated).toBe(true);
    expect(new Set(first?.phases)).toEqual(new Set(phases.filter((phase) => phase !== 'greeting')));
    expect(second?.concentrated).toBe(false);
    expect(second?.phases.filter((phase) => phase === 'greeting')).toHaveLength(5);
  });

  test('a single wave has every phase', () => {
    const [only, ...rest] = planWaves({ calls: 5, width: 10 }, false);
    expect(rest).toEqual([]);
    expect([...(only?.phases ?? [])].sort()).toEqual([...phases].sort());
    expect(only?.concentrated).toBe(false);
  });

  test('places as many calls as were asked for', () => {
    expect(planWaves({ calls: 33, width: 10 }, true).flatMap((wave) => wave.phases)).toHaveLength(33);
  });
});

test('no two callers want the same hour, or have the same name', () => {
  const all = Array.from({ length: PERSONAS }, (_, n) => persona(n));
  expect(new Set(all.map(({ day, hour }) => `${day} ${hour.clock}`)).size).toBe(PERSONAS);
  expect(new Set(all.map(({ name }) => name)).size).toBe(PERSONAS);
  expect(allLines().length).toBeGreaterThan(PERSONAS);
});

describe('parseChaosOptions', () => {
  test('takes several faults and a file relative to where the command was given', () => {
    expect(parseChaosOptions(['--fault', 'a', '--fault', 'b', '--calls', '4', '--json', 'x.json'], '/here', ['a', 'b'])).toEqual({
      faults: ['a', 'b'],
      calls: 4,
      atOnce: 10,
      jsonFile: '/here/x.json',
      logsDir: null,
    });
  });

  test.each([[['--fault', 'c']], [['--calls', '0']], [['--calls', 'many']], [['--unknown']]])('refuses %j', (args) => {
    expect(() => parseChaosOptions(args, '/here', ['a'])).toThrow();
  });
});
