import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SigillumError } from '@sigillum/errors';
import type { Express, Request, Response } from 'express';

/** RFC 2585 §4 for DER; PEM has no registered type of its own. */
const types = new Map([
  ['cer', 'application/pkix-cert'],
  ['crl', 'application/pkix-crl'],
  ['pem', 'application/x-pem-file'],
]);

/** A plain name with one of the endings above: no folder, nothing hidden. */
const namePattern = /^[a-z0-9][a-z0-9-]{0,62}\.(cer|crl|pem)$/;

/** Validators cache by nextUpdate; ours, in between, shall see a new CRL soon. */
const maxAgeSeconds = 300;

/** `/pki/{file}`: what the URLs in our certificates lead to, from one folder that holds nothing else. */
export function mountPkiFiles(app: Express, directory: string): void {
  app.get('/pki/:file', async (request: Request, response: Response) => {
    const name = String(request.params['file']);
    const type = types.get(namePattern.exec(name)?.[1] ?? '');
    const bytes = type === undefined ? undefined : await readIfThere(join(directory, name));
    if (type === undefined || bytes === undefined) {
      throw new SigillumError('request_not_found', 'There is no certificate or list of this name.');
    }
    response.setHeader('Content-Type', type);
    response.setHeader('Cache-Control', `public, max-age=${maxAgeSeconds}`);
    response.end(bytes);
  });
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (Error.isError(error) && 'code' in error && (error.code === 'ENOENT' || error.code === 'EISDIR'))
      return undefined;
    throw error;
  }
}
