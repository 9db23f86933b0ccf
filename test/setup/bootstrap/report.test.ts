import { PassThrough } from 'node:stream';
import { createReport, explain, StepFailed } from '../../../setup/bootstrap/report.mjs';

const printed = (stream: PassThrough): string => String(stream.read() ?? '');

describe('createReport', () => {
  test('prints one line per step, also when the step told that it would take long', async () => {
    const stream = new PassThrough();
    const report = createReport(stream as unknown as NodeJS.WriteStream);
    const value = await report.step('Redis', async (slow: (what: string) => void) => {
      slow('unpacking');
      return { detail: '7.0.15, unpacked', value: 42 };
    });
    await report.step('Speech', async () => ({ detail: 'cache', value: undefined }));
    expect(value).toBe(42);
    const lines = printed(stream).trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^ {2}Redis +unpacking … 7\.0\.15, unpacked +\d+\.\d s$/);
    expect(lines[1]).toMatch(/^ {2}Speech +cache +\d+\.\d s$/);
  });

  test('a step that fails says so and throws on', async () => {
    const stream = new PassThrough();
    const failing = createReport(stream as unknown as NodeJS.WriteStream).step('Temporal', () => Promise.reject(new Error('no compiler')));
    await expect(failing).rejects.toThrow('no compiler');
    expect(printed(stream)).toMatch(/^ {2}Temporal +failed/);
  });
});

describe('explain', () => {
  test('says what was tried, the end of what the program printed, and what to do instead', () => {
    const cause = Object.assign(new Error('go ended with 1'), { output: 'first line\nno space left on device\n' });
    const text = explain(
      new StepFailed('The Temporal CLI could not be set up.', {
        tried: ['PATH: not there', 'building it: go ended with 1'],
        instead: 'set TEMPORAL_ADDRESS',
        cause,
      }),
    );
    expect(text).toContain('The Temporal CLI could not be set up.');
    expect(text).toContain('  - PATH: not there\n  - building it: go ended with 1');
    expect(text).toContain('no space left on device');
    expect(text).toContain('Instead: set TEMPORAL_ADDRESS');
  });
});
