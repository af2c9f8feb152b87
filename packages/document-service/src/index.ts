export { type Config, configSchema } from './config.ts';
export { buildOpenApi, type OpenApiDocument } from './http/build-openapi.ts';
export { routes } from './routes/routes.ts';
export { type SealStep, sealSteps } from './sealing/seal-steps.ts';
export { type DocumentService, startService } from './start-service.ts';
