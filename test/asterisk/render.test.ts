import { renderPbx, type PbxPaths, type PbxSettings } from '../../asterisk/pbx-config.ts';
import { confValue, renderTemplate, renderTemplates } from '../../asterisk/render.ts';

const settings: PbxSettings = {
  sipAddress: '127.0.0.1',
  sipPort: 5060,
  httpAddress: '127.0.0.1',
  httpPort: 8088,
  ariPermit: '127.0.0.1/32',
  ariUsername: 'holdfast',
  ariPassword: 'secret',
  rtpPorts: { first: 10_000, last: 10_100 },
  webhookUrl: 'http://127.0.0.1:8080/internal/telephony/inbound',
  webhookSecret: 'a secret of the webhook',
  trunk: { host: '192.0.2.7', port: 5080 },
};
const paths: PbxPaths = {
  configDir: '/a/etc',
  stateDir: '/a/var',
  promptsDir: '/a/prompts',
  modulesDir: '/usr/lib/asterisk',
  dataDir: '/usr/share/asterisk',
};
const render = (change: Partial<PbxSettings> = {}, place: Partial<PbxPaths> = {}) =>
  renderPbx({ ...settings, ...change }, { ...paths, ...place }, 'hf-1');

test('renderTemplate: fills placeholders, and names the one that has no value', () => {
  expect(renderTemplate('a.conf', 'port = {{port}}', { port: '1' })).toBe('port = 1');
  expect(() => renderTemplate('a.conf', 'port = {{port}}', {})).toThrow('a.conf: no value for {{port}}');
  expect(() => renderTemplate('a.conf', 'x = {{toString}}', {})).toThrow('no value for {{toString}}');
});

test('renderTemplate: a value that looks like a placeholder stays as it is', () => {
  expect(renderTemplate('a.conf', 'x = {{a}}', { a: '{{b}} $& $1', b: 'no' })).toBe('x = {{b}} $& $1');
});

test('renderTemplates: refuses a value that no template has a place for', () => {
  expect(() => renderTemplates({ 'a.conf': '{{port}}' }, { port: '1', prot: '2' })).toThrow('No template has a place for prot');
});

test('renderPbx: leaves no placeholder in any file', () => {
  const files = render({ fallbackNumber: '+4930123' });
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['asterisk.conf', 'modules.conf', 'pjsip.conf', 'extensions.conf', 'http.conf', 'ari.conf', 'rtp.conf']),
  );
  for (const text of Object.values(files)) expect(text).not.toContain('{{');
});

test('renderPbx: a password with a semicolon is not cut short by a comment', () => {
  expect(render({ ariPassword: 'a;b;c' })['ari.conf']).toContain('password = a\\;b\\;c\n');
});

test('renderPbx: no secret of the webhook can be read as dialplan syntax', () => {
  const webhookSecret = '${SHELL(id)},;"\\';
  const text = render({ webhookSecret })['extensions.conf'] ?? '';
  expect(text).not.toContain('SHELL');
  expect(text).toContain(Buffer.from(webhookSecret).toString('base64'));
});

test('renderPbx: what the dialplan would read as its own in a URL is percent-encoded', () => {
  expect(render({ webhookUrl: 'https://example.test/hook?a=1,2;${b}' })['extensions.conf']).toContain(
    'WEBHOOK_URL = https://example.test/hook?a=1%2C2%3B%24%7Bb%7D',
  );
});

test.each<[string, Partial<PbxSettings>, string]>([
  ['a line break in the password', { ariPassword: 'a\n[general]' }, 'ariPassword must not hold control characters'],
  ['a backslash in the password', { ariPassword: 'a\\;b' }, 'ariPassword must not hold a backslash'],
  ['spaces around the password', { ariPassword: ' a' }, 'ariPassword must not begin or end with a space'],
  ['a section in the user name', { ariUsername: 'a]\n[b' }, 'ariUsername may hold only'],
  ['a fallback number that is none', { fallbackNumber: '123&PJSIP/1@x' }, 'fallbackNumber must be digits'],
  ['a URL of another kind', { webhookUrl: 'file:///etc/passwd' }, 'webhookUrl must be an http or https URL'],
])('renderPbx: refuses %s', (_, change, message) => {
  expect(() => render(change)).toThrow(message);
});

test('renderPbx: refuses a directory that application arguments would split', () => {
  expect(() => render({}, { promptsDir: '/a&b' })).toThrow('promptsDir holds a character');
  expect(render({}, { promptsDir: '/a b/ü' })['extensions.conf']).toContain('PROMPTS = /a b/ü');
});

test('renderPbx: credentials of the trunk appear only when there are some', () => {
  expect(render()['pjsip.conf']).not.toContain('outbound_auth');
  const text = render({ trunk: { host: 'sip.example.test', port: 5060, username: 'u', password: 'p;1' } })['pjsip.conf'] ?? '';
  expect(text).toContain('outbound_auth = from-tata-trunk-auth\n');
  expect(text).toContain('username = u\npassword = p\\;1');
});

test('renderPbx: knows no anonymous endpoint and does not log what carries numbers', () => {
  const files = render();
  expect(files['modules.conf']).not.toMatch(/identifier_anonymous|identifier_user/);
  expect(files['pjsip.conf']).not.toMatch(/^\[anonymous\]/m);
  expect(files['logger.conf']).not.toMatch(/verbose|notice|debug/);
});

test('confValue: lets ordinary secrets through unchanged', () => {
  expect(confValue('x', 'p"w$,{}()[]=#')).toBe('p"w$,{}()[]=#');
});
