import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Express, Request, Response } from 'express';

/** Swagger UI needs the data: pictures of its own style sheet, and calls our API; nothing inline, nothing from outside. */
const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sigillum API</title>
<link rel="stylesheet" href="/docs/swagger-ui.css">
<link rel="icon" href="/docs/favicon.png">
</head>
<body>
<div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</body>
</html>
`;

const startScript = `SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  docExpansion: 'list',
  validatorUrl: null,
});
`;

/** The files of Swagger UI that are served, by the name they have here. */
const assets = {
  'swagger-ui.css': { file: 'swagger-ui.css', type: 'text/css; charset=utf-8' },
  'swagger-ui-bundle.js': { file: 'swagger-ui-bundle.js', type: 'text/javascript; charset=utf-8' },
  'favicon.png': { file: 'favicon-32x32.png', type: 'image/png' },
} as const;

/** `/openapi.json`, and `/docs`, which shows it without asking anybody else. */
export function mountDocs(app: Express, openApi: object): void {
  const document = JSON.stringify(openApi);
  app.get('/openapi.json', (_request: Request, response: Response) => {
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Content-Type', 'application/json');
    response.end(document);
  });
  app.get('/docs', (_request: Request, response: Response) => {
    response.setHeader('Content-Security-Policy', docsPolicy);
    response.setHeader('Cache-Control', 'no-cache');
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(page);
  });
  app.get('/docs/start.js', (_request: Request, response: Response) => {
    sendAsset(response, 'text/javascript; charset=utf-8', startScript);
  });
  const directory = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  for (const [name, { file, type }] of Object.entries(assets)) {
    const bytes = readFileSync(join(directory, file));
    app.get(`/docs/${name}`, (_request: Request, response: Response) => sendAsset(response, type, bytes));
  }
}

function sendAsset(response: Response, type: string, content: string | Buffer): void {
  response.setHeader('Cache-Control', 'public, max-age=3600');
  response.setHeader('Content-Type', type);
  response.end(content);
}
