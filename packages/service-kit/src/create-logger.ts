import winston from 'winston';

/** Writes one JSON object per line: time, level, service, instance, message, then the fields given. */
export type Logger = {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each of its lines. */
  child(fields: LogFields): Logger;
};

/** Never a PIN, code, token, key, document bytes, or personal data beyond ids. An Error is written with its stack. */
export type LogFields = Readonly<Record<string, unknown>>;

export type LogLevel = 'error' | 'warn' | 'info' | 'debug';

/** Creates the logger of a process. `stream` is for tests; the default is stdout. */
export function createLogger(options: {
  readonly service: string;
  readonly instance: string;
  readonly level?: LogLevel;
  readonly stream?: NodeJS.WritableStream;
}): Logger {
  const logger = winston.createLogger({
    level: options.level ?? 'info',
    format: winston.format.printf((line) => String(line['text'])),
    transports: [
      options.stream === undefined
        ? new winston.transports.Console()
        : new winston.transports.Stream({ stream: options.stream }),
    ],
  });
  return bind(logger, { service: options.service, instance: options.instance });
}

function bind(logger: winston.Logger, bound: LogFields): Logger {
  const write = (level: LogLevel, message: string, fields: LogFields = {}): void => {
    if (!logger.isLevelEnabled(level)) return;
    logger.log({ level, message, text: formatLine(level, message, { ...bound, ...fields }) });
  };
  return {
    error: (message, fields) => write('error', message, fields),
    warn: (message, fields) => write('warn', message, fields),
    info: (message, fields) => write('info', message, fields),
    debug: (message, fields) => write('debug', message, fields),
    child: (fields) => bind(logger, { ...bound, ...fields }),
  };
}

/** One line of the log, also used before a logger exists. The fixed fields can't be overwritten. */
export function formatLine(level: LogLevel, message: string, fields: LogFields): string {
  const { service, instance, time: _time, level: _level, message: _message, ...others } = fields;
  const line = { time: new Date().toISOString(), level, service, instance, message, ...others };
  try {
    return JSON.stringify(line, describeValue);
  } catch {
    // A cycle, or a toJSON that throws: the event still counts more than its fields.
    return JSON.stringify({ time: line.time, level, service, instance, message, fields_lost: true });
  }
}

function describeValue(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Error.isError(value)) return describeError(value);
  return value;
}

/** Bounded: a chain of causes deeper than this says nothing new. */
const maxCauses = 5;

function describeError(error: Error, depth = 0): LogFields {
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(typeof code === 'string' ? { code } : {}),
    stack: error.stack,
    ...(Error.isError(error.cause) && depth < maxCauses ? { cause: describeError(error.cause, depth + 1) } : {}),
  };
}
