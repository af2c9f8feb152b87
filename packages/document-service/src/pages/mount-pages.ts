import { codeRegistry, isErrorCode, SigillumError } from '@sigillum/errors';
import type { Express, Request, Response } from 'express';
import { escapeHtml, sendPage, siteStyle } from './html-page.ts';
import { mountDocs } from './mount-docs.ts';
import { mountPkiFiles } from './mount-pki-files.ts';

export type PageOptions = {
  readonly publicUrl: string;
  readonly pkiDirectory: string;
  /** What `/openapi.json` answers. */
  readonly openApi: object;
};

/** Everything that isn't the API: the landing page, the documentation, what problems mean, certificates and CRLs. */
export function mountPages(app: Express, options: PageOptions): void {
  app.get('/', (_request: Request, response: Response) => sendLanding(response, options.publicUrl));
  app.get('/problems/:code', (request: Request, response: Response) => {
    sendProblemPage(response, String(request.params['code']));
  });
  app.get('/assets/site.css', (_request: Request, response: Response) => {
    response.setHeader('Content-Type', 'text/css; charset=utf-8');
    response.setHeader('Cache-Control', 'public, max-age=3600');
    response.end(siteStyle);
  });
  mountDocs(app, options.openApi);
  mountPkiFiles(app, options.pkiDirectory);
}

function sendLanding(response: Response, publicUrl: string): void {
  const url = escapeHtml(publicUrl.replace(/\/$/, ''));
  sendPage(
    response,
    'Sigillum',
    `<h1>Sigillum</h1>
<p>Electronic seals for PDF documents: a PDF goes in, a sealed and time-stamped PDF comes out.</p>
<pre>curl -H "Authorization: Bearer $KEY" -H 'Content-Type: application/pdf' \\
  --data-binary @in.pdf ${url}/v1/seals -o out.pdf</pre>
<ul>
<li><a href="/docs">API documentation</a>, and the same as <a href="/openapi.json">OpenAPI 3.1</a></li>
<li><a href="/v1/status">Status</a></li>
</ul>`,
  );
}

/** The page that a problem's `type` leads to. */
function sendProblemPage(response: Response, code: string): void {
  if (!isErrorCode(code)) throw new SigillumError('request_not_found', 'There is no problem with this code.');
  const { status, title } = codeRegistry[code];
  const advice =
    status >= 500
      ? 'The fault is on our side, or on that of a service behind us. The same request may be sent again; after <code>Retry-After</code> seconds, when the answer had that header.'
      : 'The same request would be answered the same way. <code>detail</code> and, for single fields, <code>errors</code> of the answer say what to change.';
  sendPage(
    response,
    title,
    `<h1>${escapeHtml(title)}</h1>
<p>Code <code>${escapeHtml(code)}</code>, HTTP status ${status}.</p>
<p>${advice}</p>
<p>With questions, name the <code>request_id</code> of the answer. <a href="/docs">API documentation</a></p>`,
  );
}
