import { SigillumClient } from '@sigillum/sdk';
import type { Console } from '../console.ts';
import { findService, type ServiceOptions } from '../find-service.ts';

/** `sigillum status`: what works, for people; the exit code says it to scripts. */
export async function runStatus(service: ServiceOptions, console: Console): Promise<number> {
  const { url, home } = await findService(service, console.directory);
  const status = await new SigillumClient({ url }).status();
  const lines = [
    `${url}: ${status.status}`,
    ...status.components.map((component) => `  ${component.name.padEnd(12)} ${component.status}`),
    ...(home === undefined ? [] : [`  home         ${home}`]),
  ];
  await console.writeOut(`${lines.join('\n')}\n`);
  return status.status === 'operational' ? 0 : 1;
}
