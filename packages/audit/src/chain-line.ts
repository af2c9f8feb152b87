import { canonicalJson } from './canonical-json.ts';
import type { JsonObject } from './json-value.ts';

/** One line of a chain's file, without its line end. */
export type ChainLine = {
  /** From 1, without gaps. */
  readonly sequence: number;
  readonly previous: Uint8Array;
  readonly hash: Uint8Array;
  /** Canonical JSON of the event. */
  readonly eventBytes: Uint8Array;
};

/** A line that was read, with its event. */
export type ReadChainLine = ChainLine & { readonly event: JsonObject };

const lineFormat =
  /^\{"sequence":([1-9]\d{0,15}),"previous":"([0-9a-f]{64})","hash":"([0-9a-f]{64})","event":(\{.*\})\}$/su;

/** Encodes a line, without its line end. */
export function encodeChainLine(line: ChainLine): Uint8Array {
  return Buffer.from(writeChainLine(line, Buffer.from(line.eventBytes).toString('utf8')), 'utf8');
}

/** A line as text, without its line end, from the text of its event. */
export function writeChainLine({ sequence, previous, hash }: Omit<ChainLine, 'eventBytes'>, eventText: string): string {
  return `{"sequence":${sequence},"previous":"${toHex(previous)}","hash":"${toHex(hash)}","event":${eventText}}`;
}

/** Reads a line; `undefined` when it isn't one, byte for byte: the event has to be canonical JSON too. */
export function findChainLine(bytes: Uint8Array): ReadChainLine | undefined {
  const text = decodeText(bytes);
  const match = text === undefined ? null : lineFormat.exec(text);
  if (match === null) return undefined;
  const [, sequence = '', previous = '', hash = '', eventText = ''] = match;
  const event = findObject(eventText);
  if (event === undefined || !Number.isSafeInteger(Number(sequence))) return undefined;
  return {
    sequence: Number(sequence),
    previous: Buffer.from(previous, 'hex'),
    hash: Buffer.from(hash, 'hex'),
    eventBytes: new TextEncoder().encode(eventText),
    event,
  };
}

function decodeText(bytes: Uint8Array): string | undefined {
  try {
    // ignoreBOM keeps a BOM as a character, so that the format refuses it.
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function findObject(text: string): JsonObject | undefined {
  try {
    const event = JSON.parse(text) as JsonObject;
    return Buffer.from(canonicalJson(event)).toString('utf8') === text ? event : undefined;
  } catch {
    return undefined;
  }
}

function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
