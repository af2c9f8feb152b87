import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';

const headEnd = Buffer.from('\r\n\r\n');
const lastChunk = Buffer.from('\r\n0\r\n\r\n');
const lengthField = Buffer.from('Content-Length: ');

/** One answer: its status, and its body as it came. */
export type RawAnswer = { readonly status: number; readonly body: Buffer };

/** The client certificate of a folder that the stand made. */
export function readIdentity(folder: string, name: string): SecureContext {
  const read = (file: string): string => readFileSync(join(folder, file), 'utf8');
  const [cert, key, ca] = [read(`${name}.pem`), read(`${name}.key`), read('root.pem')];
  return createSecureContext({ cert, key, ca, minVersion: 'TLSv1.3' });
}

/**
 * A kept-alive mTLS connection that sends ready-made requests and reads no more of an answer than where it ends: on two
 * cores that it shares with what it measures, a generator must cost as little as it can.
 */
export class LoadConnection {
  readonly #socket: TLSSocket;
  readonly #onAnswer: (answer: RawAnswer, connection: LoadConnection) => void;
  #received: Buffer = Buffer.alloc(0);
  sentAt = 0;

  private constructor(socket: TLSSocket, onAnswer: (answer: RawAnswer, connection: LoadConnection) => void) {
    this.#socket = socket;
    this.#onAnswer = onAnswer;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => this.#receive(bytes));
  }

  /** Connects; an end of the connection before {@link close} ends the process: figures with a hole are none. */
  static open(
    port: number,
    secureContext: SecureContext,
    onAnswer: (answer: RawAnswer, connection: LoadConnection) => void,
  ): Promise<LoadConnection> {
    return new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, secureContext }, () => {
        resolve(new LoadConnection(socket, onAnswer));
      });
      const lost = (why: string) => (): void => {
        process.stderr.write(`load: a connection was ${why}\n`);
        process.exit(1);
      };
      socket.on('error', lost('broken'));
      socket.on('end', lost('closed'));
    });
  }

  /** Sends one whole HTTP request. `at` is when it should have been sent, so that waiting for a turn counts. */
  send(request: Buffer, at: number): void {
    this.sentAt = at;
    this.#socket.write(request);
  }

  close(): void {
    this.#socket.removeAllListeners('end');
    this.#socket.destroy();
  }

  #receive(bytes: Buffer): void {
    this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
    const end = this.#received.indexOf(headEnd);
    if (end === -1) return;
    const bodyAt = end + headEnd.length;
    const length = this.#findLength(end);
    // Problems come in chunks: their last one is empty.
    const isWhole =
      length === undefined ? this.#received.includes(lastChunk, bodyAt) : this.#received.length >= bodyAt + length;
    if (!isWhole) return;
    const answer = { status: Number(this.#received.toString('latin1', 9, 12)), body: this.#received.subarray(bodyAt) };
    this.#received = Buffer.alloc(0);
    this.#onAnswer(answer, this);
  }

  #findLength(end: number): number | undefined {
    const field = this.#received.indexOf(lengthField);
    if (field === -1 || field > end) return undefined;
    const start = field + lengthField.length;
    return Number(this.#received.toString('latin1', start, this.#received.indexOf(13, start)));
  }
}
