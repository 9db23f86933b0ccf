/** /openapi.json, Swagger UI at /docs/ from files on this machine, and what every error means. */
import { fileURLToPath } from 'node:url';
import type { Express } from 'express';
import swaggerUi from 'swagger-ui-express';
import type { OpenApiDocument } from './openapi.ts';
import { ERRORS_PATH } from './problem.ts';

const ERRORS_FILE = fileURLToPath(new URL('../../docs/errors.md', import.meta.url));

export function mountDocs(app: Express, document: OpenApiDocument): void {
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  app.get(ERRORS_PATH, (_request, response) => {
    response.type('text/markdown; charset=utf-8').sendFile(ERRORS_FILE);
  });
  app.use('/docs', swaggerUi.serve, swaggerUi.setup(null, { customSiteTitle: 'Holdfast API', swaggerOptions: { url: '/openapi.json' } }));
}
