import { readFileSync } from 'node:fs';
import { SigillumError } from '@sigillum/errors';
import type { PoolConfig } from 'pg';

/** What a URL says of a connection. */
export type DatabaseAddress = Pick<PoolConfig, 'user' | 'host' | 'port' | 'database' | 'password' | 'ssl'>;

/** A URL without a host, as it stands with a socket folder, is none for the URL parser. */
const placeholder = 'socket.invalid';

/**
 * Reads `postgresql://user[:password]@host[:port]/database`, with `?host=/folder` for a Unix socket, `sslmode`
 * (`disable`, `require`, `verify-full`; the last two both verify) and `sslrootcert`. pg's own parser isn't used because
 * what it finds, an empty password included, replaces what is configured beside the URL.
 *
 * @throws SigillumError `config_invalid`
 */
export function parseDatabaseUrl(text: string): DatabaseAddress {
  const url = URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^@/]*@)(?=[/?])/, `$1${placeholder}`));
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) throw invalid('is not a postgresql:// URL');
  const parameters = new Map(url.searchParams);
  const host = parameters.get('host') ?? (url.hostname === placeholder ? undefined : url.hostname);
  const sslMode = parameters.get('sslmode') ?? 'disable';
  const rootFile = parameters.get('sslrootcert');
  for (const known of ['host', 'sslmode', 'sslrootcert']) parameters.delete(known);
  if (parameters.size > 0) throw invalid(`has parameters that are not supported: ${[...parameters.keys()].join(', ')}`);
  if (!host) throw invalid('names no host');
  if (!['disable', 'require', 'verify-full'].includes(sslMode)) throw invalid('has an unknown sslmode');
  const database = decodeURIComponent(url.pathname.slice(1));
  if (database === '') throw invalid('names no database');
  return {
    host,
    database,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decodeURIComponent(url.username) }),
    ...(url.password === '' ? {} : { password: decodeURIComponent(url.password) }),
    ssl:
      sslMode === 'disable'
        ? false
        : { rejectUnauthorized: true, ...(rootFile === undefined ? {} : { ca: readFileSync(rootFile, 'utf8') }) },
  };
}

/** The URL itself stays out of the message: a password may stand in it. */
function invalid(why: string): SigillumError {
  return new SigillumError('config_invalid', `The URL of the database ${why}.`);
}
