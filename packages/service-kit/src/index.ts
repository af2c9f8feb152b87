export { configPath } from './config-path.ts';
export {
  addLogFields,
  assertCallerWaits,
  createHttpApp,
  getRouteTemplate,
  type HttpAppOptions,
} from './create-http-app.ts';
export { createLogger, type LogFields, type Logger, type LogLevel } from './create-logger.ts';
export { createMetrics, type HttpMetrics, type Metrics } from './create-metrics.ts';
export { loadConfig, parseConfig } from './load-config.ts';
export { makeDirectory } from './make-directory.ts';
export { type Arguments, assertNoRest, parseArguments } from './parse-arguments.ts';
export { readSecretFile, readTextFile } from './read-secret-file.ts';
export { createRequestId, getRequestId, requestIdHeader } from './request-id.ts';
export { type MainContext, type RunningService, runMain } from './run-main.ts';
export {
  defaultGraceMs,
  type RunningServer,
  type ServeLimits,
  type ServeOptions,
  type ServeTls,
  serve,
} from './serve.ts';
export { type ReadyReport, type ServeInternalOptions, serveInternal } from './serve-internal.ts';
export { assertTlsFiles, readTlsFiles, type TlsPaths } from './tls-files.ts';
export { createTlsMetrics, stampFiles, TlsWatch } from './tls-watch.ts';
export { sendProblem, useProblemHandler } from './use-problem-handler.ts';
export { writeFileDurably } from './write-file-durably.ts';
