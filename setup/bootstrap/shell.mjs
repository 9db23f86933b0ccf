/** Runs other programs: output captured, always with a deadline, ended with us. */
import { spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const running = new Set();

/** Ends whatever is under way, with everything it started. */
export function stopRunning() {
  for (const pid of running) {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It ended meanwhile.
    }
  }
}

export class CommandFailed extends Error {
  constructor(command, outcome, output) {
    super(`${command} ${outcome}`);
    this.output = output;
  }
}

/**
 * @param {readonly string[]} command program and arguments
 * @param {{env?: NodeJS.ProcessEnv, cwd?: string, timeoutMs?: number}} [options]
 * @returns {Promise<string>} stdout
 * @throws {CommandFailed} on any outcome but exit code 0, with the end of what was printed
 */
export function run(command, options = {}) {
  const [program, ...args] = command;
  return new Promise((resolve, reject) => {
    // Its own group, so that a compiler started by it ends with it.
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let stdout = '';
    let all = '';
    const timeoutMs = options.timeoutMs ?? 120_000;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, timeoutMs);
    if (child.pid !== undefined) running.add(child.pid);
    child.stdout?.on('data', (chunk) => {
      stdout += chunk;
      all = (all + chunk).slice(-20_000);
    });
    child.stderr?.on('data', (chunk) => (all = (all + chunk).slice(-20_000)));
    const end = (failure) => {
      clearTimeout(timer);
      running.delete(child.pid);
      if (failure === undefined) resolve(stdout);
      else reject(new CommandFailed(command.join(' '), failure, all));
    };
    child.once('error', (error) => end(error.code === 'ENOENT' ? 'is not installed' : error.message));
    child.once('close', (code, signal) => {
      if (late) end(`took longer than ${timeoutMs / 1_000} s`);
      else end(code === 0 ? undefined : `ended with ${code ?? signal}`);
    });
  });
}

/** Where a program is: PATH first, then the directories an ordinary user's PATH often lacks. */
export function which(program, env = process.env) {
  const directories = [...(env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/go/bin'];
  return directories
    .filter(Boolean)
    .map((directory) => join(directory, program))
    .find(executable);
}

export function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
