import { readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { prompts } from '../../asterisk/prompts.ts';
import { startPbx } from '../../asterisk/start.ts';
import { freePort } from '../../setup/stack/ports.ts';
import { ARI_USER, startTestPbx, type TestPbx } from '../support/pbx.ts';
import { loudness, readWav } from '../support/sound.ts';

let running: TestPbx;

beforeAll(async () => {
  running = await startTestPbx('http://127.0.0.1:1/internal/telephony/inbound');
});
afterAll(() => running[Symbol.asyncDispose]());

const permissions = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('startPbx: only the owner can read its configuration', async () => {
  const etc = join(running.pbx.dir, 'etc');
  expect(await permissions(running.pbx.dir)).toBe('700');
  const files = await readdir(etc);
  expect(files).toContain('ari.conf');
  for (const file of files) expect([file, await permissions(join(etc, file))]).toEqual([file, '600']);
});

test('startPbx: every module of the list runs, and nothing is complained about', async () => {
  const wanted = [...(await readFile(join(running.pbx.dir, 'etc/modules.conf'), 'utf8')).matchAll(/^load = (\S+)/gm)].map(
    ([, name]) => name,
  );
  const shown = await running.pbx.console('module show');
  for (const name of wanted) expect(shown).toMatch(new RegExp(`^${name?.replace('.', '\\.')}.* Running`, 'm'));
  expect(await readFile(running.pbx.logFile, 'utf8')).not.toMatch(/WARNING|ERROR/);
});

test('startPbx: ARI answers the right password only', async () => {
  const ask = (password: string) =>
    fetch(`${running.pbx.ariUrl}/ari/channels`, {
      headers: { authorization: `Basic ${Buffer.from(`${ARI_USER.username}:${password}`).toString('base64')}` },
    });
  expect((await ask(ARI_USER.password)).status).toBe(200);
  expect((await ask('wrong')).status).toBe(401);
});

test('startPbx: speaks prompts that can be heard', () => {
  for (const name of Object.keys(prompts)) {
    const loud = loudness(readWav(join(running.pbx.dir, 'prompts', `${name}.wav16`))).filter((rms) => rms > 300);
    expect([name, loud.length > 25]).toEqual([name, true]);
  }
});

test('startPbx: a second PBX beside the first gives its calls other ids', async () => {
  await using second = await startTestPbx('http://127.0.0.1:1/');
  const name = async ({ pbx }: TestPbx) => /System name:\s+(\S+)/.exec(await pbx.console('core show settings'))?.[1];
  const [one, two] = [await name(running), await name(second)];
  expect(one).toMatch(/^hf-/);
  expect(two).toMatch(/^hf-/);
  expect(one).not.toBe(two);
});

test('startPbx: stop leaves no process', async () => {
  const other = await startTestPbx('http://127.0.0.1:1/');
  await other[Symbol.asyncDispose]();
  expect(() => process.kill(other.pbx.pid, 0)).toThrow('ESRCH');
});

test('startPbx: says so when its control socket cannot have a path that long', async () => {
  await expect(startPbx({ ...running.options, dir: join(running.pbx.dir, 'x'.repeat(100)) })).rejects.toThrow(
    'too long for the control socket',
  );
});

test('startPbx: a PBX that cannot start is reported with its log', async () => {
  const program = join(running.pbx.dir, 'broken');
  await writeFile(program, '#!/bin/sh\necho cannot run today\nexit 3\n', { mode: 0o700 });
  const { parts } = running.options;
  const broken = { ...running.options, dir: join(running.pbx.dir, 'b'), logFile: join(running.pbx.dir, 'broken.log') };
  await expect(startPbx({ ...broken, parts: { ...parts, asterisk: { ...parts.asterisk, command: [program] } } })).rejects.toThrow(
    /asterisk ended at once \(3\)[\s\S]*cannot run today/,
  );
});

test('startPbx: a SIP port that is taken is an error, not a PBX that hears no call', async () => {
  const taken = {
    ...running.options,
    dir: join(running.pbx.dir, 'c'),
    logFile: join(running.pbx.dir, 'c.log'),
    httpPort: await freePort(),
  };
  await expect(startPbx(taken)).rejects.toThrow(`UDP port ${running.options.sipPort} on 127.0.0.1 cannot be used for SIP`);
});
