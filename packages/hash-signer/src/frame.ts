/**
 * Frames on the pipe between the daemon and a signer process: u32 length of the rest, u8 type, payload; big-endian.
 * Both ends are the same release, so there is no version.
 */
export const frameTypes = {
  /** daemon → signer, once, first: JSON {@link SignerSetup}. */
  configure: 0x01,
  /** daemon → signer: u32 id, u16 index of the key in the set-up, digest. */
  sign: 0x02,
  /** daemon → signer: finish what is in flight, log out, exit 0. */
  drain: 0x03,
  /** signer → daemon, once: JSON {@link SignerReady}. */
  ready: 0x11,
  /** signer → daemon: u32 id, u32 microseconds of execution, signature (ECDSA: verified there). */
  signed: 0x12,
  /** signer → daemon: u32 id, u32 microseconds of execution, u8 index in {@link failureClasses}, u32 return code. */
  failed: 0x13,
  /** signer → daemon, last: JSON {@link SignerFatal}. */
  fatal: 0x14,
  /** signer → daemon, right before C_Login: JSON {@link PinFileStamp}. */
  attempt: 0x15,
} as const;

/** `payload` lies in the bytes that were read: whoever keeps it for long copies it, or keeps all of them. */
export type Frame = { readonly type: number; readonly payload: Buffer };

/** The set-up with 500 keys has about 500 KB; everything else is below 1 KB. */
const MAX_FRAME_BYTES = 1024 * 1024;

/** Where the payload begins in a frame. */
export const FRAME_HEAD_BYTES = 5;

/** A frame whose payload, from {@link FRAME_HEAD_BYTES} on, is still to be written. */
export function allocateFrame(type: number, payloadBytes: number): Buffer {
  if (1 + payloadBytes > MAX_FRAME_BYTES) throw new RangeError('frame too long');
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + payloadBytes);
  frame.writeUInt32BE(1 + payloadBytes, 0);
  frame.writeUInt8(type, 4);
  return frame;
}

/** One frame as bytes. */
export function encodeFrame(type: number, payload: Uint8Array = new Uint8Array()): Buffer {
  const frame = allocateFrame(type, payload.length);
  frame.set(payload, FRAME_HEAD_BYTES);
  return frame;
}

/** A frame whose payload is JSON. */
export function encodeJsonFrame(type: number, value: unknown): Buffer {
  return encodeFrame(type, Buffer.from(JSON.stringify(value)));
}

/** Cuts a byte stream into frames, whatever the pieces in which it arrives. */
export class FrameReader {
  #buffered: Buffer = Buffer.alloc(0);

  /**
   * The frames completed by these bytes.
   * @throws RangeError for a length that no frame has: the stream is lost then.
   */
  push(bytes: Buffer): Frame[] {
    this.#buffered = this.#buffered.length === 0 ? bytes : Buffer.concat([this.#buffered, bytes]);
    const frames: Frame[] = [];
    let offset = 0;
    while (this.#buffered.length - offset >= 4) {
      const length = this.#buffered.readUInt32BE(offset);
      if (length < 1 || length > MAX_FRAME_BYTES) throw new RangeError('frame with an impossible length');
      if (this.#buffered.length - offset < 4 + length) break;
      const end = offset + 4 + length;
      frames.push({
        type: this.#buffered[offset + 4] ?? 0,
        payload: this.#buffered.subarray(offset + FRAME_HEAD_BYTES, end),
      });
      offset = end;
    }
    this.#buffered = this.#buffered.subarray(offset);
    return frames;
  }
}
