/**
 * How every process begins and ends: .env, configuration, one clear message and exit code when it
 * cannot start (78 = configuration, 69 = something it needs is not there), and an orderly end at
 * SIGTERM or SIGINT.
 */
import { existsSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import { loadConfig, type Config, type ProcessName } from '../config.ts';
import { HoldfastError } from '../domain/errors.ts';
import { createLogger, errorFacts, type Logger } from '../telemetry.ts';

const EXIT_CONFIG = 78;
const EXIT_UNAVAILABLE = 69;

export interface RunningProcess {
  /** Orderly end: finish or hand over what is live, then close. */
  stop(): Promise<void>;
}

/** @param start throws HoldfastError dependency_unavailable naming what could not be reached. */
export async function runProcess(name: ProcessName, start: (config: Config, logger: Logger) => Promise<RunningProcess>): Promise<void> {
  if (existsSync('.env')) process.loadEnvFile('.env');
  const config = configOrExit(name);
  const logger = createLogger({ process: name, level: config.logLevel });
  const running = await start(config, logger).catch((error: unknown) => {
    const unavailable = error instanceof HoldfastError && error.code === 'dependency_unavailable';
    if (unavailable) process.stderr.write(`${name}: ${error.message}\n`);
    else logger.fatal({ event: 'start_failed', error: errorFacts(error) }, 'The process could not start');
    process.exit(unavailable ? EXIT_UNAVAILABLE : 1);
  });
  let stopping = false;
  const stop = (signal: NodeJS.Signals): void => {
    if (stopping) return;
    stopping = true;
    logger.info({ event: 'stopping', signal }, 'Stopping');
    running.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ event: 'stop_failed', error: errorFacts(error) }, 'The process did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  logger.info({ event: 'started' }, 'Started');
  // Where NODE_COMPILE_CACHE is set: a process that is killed would never write it, and the next one is to start sooner.
  flushCompileCache();
}

function configOrExit(name: ProcessName): Config {
  try {
    return loadConfig(process.env, name);
  } catch (error) {
    if (!(error instanceof HoldfastError) || error.code !== 'config_invalid') throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    return process.exit(EXIT_CONFIG);
  }
}
