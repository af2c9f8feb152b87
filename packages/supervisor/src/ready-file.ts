import { writeFileDurably } from '@sigillum/service-kit';
import type { HomePaths } from './home-paths.ts';
import type { InternalPorts } from './ports.ts';
import { readSandboxKey } from './seal-sample.ts';
import { credentialNames } from './write-configurations.ts';

/** What is written at the end of a start and whenever a process is replaced. */
export type ReadyState = {
  readonly basePort: number;
  readonly ports: InternalPorts;
  readonly pids: Readonly<Record<string, number | undefined>>;
};

/** Writes `run/ready.json` (0600): where everything is, for programs. */
export function writeReadyFile(paths: HomePaths, { basePort, ports, pids }: ReadyState): void {
  const ready = {
    url: `http://127.0.0.1:${basePort}`,
    docs_url: `http://127.0.0.1:${basePort}/docs`,
    api_key: readSandboxKey(paths),
    tsa_url: `http://127.0.0.1:${basePort + 1}/`,
    root_certificate: paths.root,
    crls: paths.crls,
    credentials: credentialNames,
    internal: { ports },
    pids,
  };
  writeFileDurably(paths.ready, `${JSON.stringify(ready, null, 2)}\n`);
}
