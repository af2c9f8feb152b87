import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

/** How a server behaves; changed while it runs. */
export type NtpBehaviour = {
  /** Its clock minus ours, in milliseconds. */
  offsetMs: number;
  silent: boolean;
  /** 0 none, 1 insert, 2 delete, 3 not synchronised (RFC 5905 §7.3). */
  leap: 0 | 1 | 2 | 3;
  stratum: number;
  /** Four characters: with stratum 0 the kiss code (RFC 5905 §7.4). */
  reference: string;
  rootDelayMs: number;
  rootDispersionMs: number;
  /** Answers to a request that nobody made, before the right one. */
  forgesFirst: boolean;
};

const unixEpoch = 2_208_988_800;

/** A time server on loopback that says what a test wants: an NTP v4 server of stratum 1 as long as nothing is changed. */
export class NtpServerForTests {
  readonly behaviour: NtpBehaviour = {
    offsetMs: 0,
    silent: false,
    leap: 0,
    stratum: 1,
    reference: 'TEST',
    rootDelayMs: 1,
    rootDispersionMs: 1,
    forgesFirst: false,
  };
  /** Requests so far. */
  requests = 0;
  readonly #socket: Socket;
  readonly #now: () => number;

  private constructor(socket: Socket, now: () => number) {
    this.#socket = socket;
    this.#now = now;
    socket.on('message', (request, { port, address }) => {
      this.requests++;
      if (this.behaviour.silent || request.length < 48) return;
      const answer = this.#answer(request);
      if (this.behaviour.forgesFirst) {
        const forged = Buffer.from(answer);
        forged.writeUInt32BE(1, 24);
        socket.send(forged, port, address);
      }
      socket.send(answer, port, address);
    });
  }

  /** @param now our clock, Unix milliseconds; 0 as port takes a free one */
  static async start(now: () => number = Date.now, port = 0): Promise<NtpServerForTests> {
    const socket = createSocket('udp4');
    socket.bind(port, '127.0.0.1');
    await once(socket, 'listening');
    return new NtpServerForTests(socket, now);
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async stop(): Promise<void> {
    this.#socket.close();
    await once(this.#socket, 'close');
  }

  #answer(request: Buffer): Buffer {
    const { offsetMs, leap, stratum, reference, rootDelayMs, rootDispersionMs } = this.behaviour;
    const time = this.#now() + offsetMs;
    const answer = Buffer.alloc(48);
    answer[0] = (leap << 6) | (4 << 3) | 4;
    answer[1] = stratum;
    answer[2] = request[2] ?? 0;
    answer.writeInt8(-20, 3);
    answer.writeUInt32BE(Math.round((rootDelayMs / 1000) * 65_536), 4);
    answer.writeUInt32BE(Math.round((rootDispersionMs / 1000) * 65_536), 8);
    answer.write(reference, 12, 4, 'latin1');
    writeTimestamp(answer, 16, time - 1000);
    request.copy(answer, 24, 40, 48);
    writeTimestamp(answer, 32, time);
    writeTimestamp(answer, 40, time);
    return answer;
  }
}

function writeTimestamp(packet: Buffer, offset: number, time: number): void {
  const seconds = Math.floor(time / 1000);
  packet.writeUInt32BE((seconds + unixEpoch) % 2 ** 32, offset);
  packet.writeUInt32BE(Math.floor(((time - seconds * 1000) / 1000) * 2 ** 32) % 2 ** 32, offset + 4);
}
