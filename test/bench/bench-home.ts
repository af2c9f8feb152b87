import { readFileSync } from 'node:fs';
import { DevelopmentHome } from '@sigillum/testing';

/** A running development home as the bench uses it. */
export type BenchHome = {
  readonly access: { readonly url: string; readonly apiKey: string };
  readonly tsaUrl: string;
  /** Of document-service's internal listener. */
  readonly metricsPort: number;
  readonly pids: Readonly<Record<string, number>>;
  remove(): Promise<void>;
};

type ReadyForBench = {
  readonly url: string;
  readonly api_key: string;
  readonly tsa_url: string;
  readonly internal: { readonly ports: { readonly document_service_internal: number } };
  readonly pids: Readonly<Record<string, number>>;
};

/** Starts a home of its own in a temporary folder, as `npm start` would. */
export async function startBenchHome(): Promise<BenchHome> {
  const home = await DevelopmentHome.start();
  const ready = JSON.parse(readFileSync(home.readyPath, 'utf8')) as ReadyForBench;
  return {
    access: { url: ready.url, apiKey: ready.api_key },
    tsaUrl: ready.tsa_url,
    metricsPort: ready.internal.ports.document_service_internal,
    pids: ready.pids,
    remove: () => home.remove(),
  };
}
