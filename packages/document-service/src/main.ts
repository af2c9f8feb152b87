import { SigillumError } from '@sigillum/errors';
import { type Arguments, createLogger, loadConfig, readSecretFile, runMain } from '@sigillum/service-kit';
import { migrate, openDatabase } from '@sigillum/store';
import { checkConfig } from './check-config.ts';
import { type Config, configSchema } from './config.ts';
import { provision } from './provisioning/provision.ts';
import { provisionSchema } from './provisioning/provision-file.ts';
import { startService } from './start-service.ts';

runMain(
  async (args) => {
    const config = loadConfig(args.configPath, configSchema);
    switch (args.command) {
      case undefined:
      case 'serve':
        assertOptions(args, 0);
        return args.checkConfig ? checkConfig(config, new Date()) : startService(config);
      case 'migrate':
        assertOptions(args, 0);
        if (!args.checkConfig) await runMigrate(config);
        return undefined;
      case 'provision':
        await runProvision(config, args);
        return undefined;
      default:
        throw new SigillumError('config_invalid', `Unknown command ${args.command}: serve, migrate or provision.`);
    }
  },
  { takesReload: true },
);

async function runMigrate(config: Config): Promise<void> {
  if (config.migrations === undefined) {
    throw new SigillumError(
      'config_invalid',
      'The configuration has no migrations: {url, password_file} of the owner.',
    );
  }
  const { url, password_file: passwordFile } = config.migrations;
  const names = await migrate({ url, ...(passwordFile === undefined ? {} : { passwordFile }) });
  log(config).info('migrated', { migrations: names });
}

async function runProvision(config: Config, args: Arguments): Promise<void> {
  const [option, path] = args.rest;
  assertOptions(args, 2);
  if (option !== '--file' || path === undefined) {
    throw new SigillumError('config_invalid', 'Say what to provision: provision --config FILE --file FILE');
  }
  const file = loadConfig(path, provisionSchema);
  if (args.checkConfig) return;
  const { url, password_file: passwordFile } = config.database;
  const db = openDatabase({ url, maxConnections: 1, ...(passwordFile === undefined ? {} : { passwordFile }) });
  try {
    const report = await provision(db, file, readSecretFile(config.api_key_pepper_file), new Date());
    log(config).info('provisioned', report);
  } finally {
    await db.destroy();
  }
}

function assertOptions(args: Arguments, count: number): void {
  if (args.rest.length <= count) return;
  throw new SigillumError('config_invalid', `Not understood on the command line: ${args.rest.slice(count).join(' ')}`);
}

function log(config: Config) {
  return createLogger({ service: 'document-service', instance: config.instance });
}
