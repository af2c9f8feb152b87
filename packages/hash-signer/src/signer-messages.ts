import { getSignatureAlgorithm, type SignatureAlgorithmName } from '@sigillum/algorithms';
import { allocateFrame, FRAME_HEAD_BYTES, frameTypes } from './frame.ts';

/** What a signer process is told at its start. No secret in it: the PIN file is a path, which the process reads. */
export type SignerSetup = {
  readonly module: string;
  readonly token: { readonly label: string; readonly serial: string };
  readonly pinFile: string;
  readonly lanes: number;
  /** Lanes, of those, that work for one purpose alone. */
  readonly reservedLanes: Readonly<Partial<Record<string, number>>>;
  /** How long one operation may take in the HSM, by kind of key. */
  readonly watchdogMs: WatchdogLimits;
  /** What the module is given at C_Initialize. */
  readonly libraryParameters?: string;
  /** A vendor's differences from the usual table: CKR_* number and class. */
  /** The module computes in the signer process itself, as its vendor profile says. */
  readonly inProcess: boolean;
  readonly returnCodes: readonly (readonly [number, ReturnCodeClassName])[];
  /** Work that the daemon sends at most before answers come back. */
  readonly maxInFlight: number;
  readonly keys: readonly {
    readonly keyId: string;
    readonly algorithm: SignatureAlgorithmName;
    readonly spki: string;
    /** Its digests work on that purpose's lanes. */
    readonly purpose: string;
  }[];
};

/** As `@sigillum/pkcs11` names them; the daemon's own code never loads that package. */
export const returnCodeClassNames = ['request', 'session', 'busy', 'token-down', 'pin', 'unknown'] as const;
export type ReturnCodeClassName = (typeof returnCodeClassNames)[number];

export type WatchdogLimits = { readonly ec: number; readonly rsa: number };

/** The limit of one algorithm's operations. */
export function getWatchdogLimit(limits: WatchdogLimits, algorithm: SignatureAlgorithmName): number {
  return getSignatureAlgorithm(algorithm).scheme === 'ecdsa' ? limits.ec : limits.rsa;
}

export type SignerReady = { readonly module: string };

/** Which PIN was tried: enough to know it again, nothing about its content. */
export type PinFileStamp = { readonly mtimeMs: number; readonly size: number };

export const fatalReasons = [
  'pin-rejected',
  'pin-unreadable',
  'key-missing',
  'key-mismatch',
  /** The module makes no public key as a session object, without which ECDSA can't be verified. */
  'verification-refused',
  'module-unusable',
  'token-missing',
  'token-down',
  /** An operation did not come back in its time; written right before the process kills itself. */
  'hang',
  /** The daemon wrote something that is none of our frames. */
  'protocol',
] as const;

/** Why a signer process ends without being asked. */
export type SignerFatal = {
  readonly reason: (typeof fatalReasons)[number];
  readonly keyId?: string;
  readonly returnCode?: number;
  readonly pin?: PinFileStamp;
};

/** EX_CONFIG: starting again with the same configuration can't help. */
export const EXIT_CONFIG = 78;
/** EX_TEMPFAIL: start again, later. */
export const EXIT_TOKEN_DOWN = 75;

/** Classes of a failed item as the frame numbers them; `wrong` is a signature that does not verify. */
export const failureClasses = ['request', 'session', 'busy', 'unknown', 'wrong'] as const;
export type FailureClass = (typeof failureClasses)[number];

/** "The addon gave no number". */
const NO_RETURN_CODE = 0xffffffff;

export function encodeSign(id: number, keyIndex: number, digest: Uint8Array): Buffer {
  const frame = allocateFrame(frameTypes.sign, 6 + digest.length);
  frame.writeUInt32BE(id, FRAME_HEAD_BYTES);
  frame.writeUInt16BE(keyIndex, FRAME_HEAD_BYTES + 4);
  frame.set(digest, FRAME_HEAD_BYTES + 6);
  return frame;
}

export function parseSign(payload: Buffer): { id: number; keyIndex: number; digest: Buffer } {
  return { id: payload.readUInt32BE(0), keyIndex: payload.readUInt16BE(4), digest: payload.subarray(6) };
}

export function encodeSigned(id: number, executionMicros: number, signature: Uint8Array): Buffer {
  const frame = allocateFrame(frameTypes.signed, 8 + signature.length);
  frame.writeUInt32BE(id, FRAME_HEAD_BYTES);
  frame.writeUInt32BE(executionMicros, FRAME_HEAD_BYTES + 4);
  frame.set(signature, FRAME_HEAD_BYTES + 8);
  return frame;
}

export function parseSigned(payload: Buffer): { id: number; executionMicros: number; signature: Buffer } {
  return { id: payload.readUInt32BE(0), executionMicros: payload.readUInt32BE(4), signature: payload.subarray(8) };
}

export function encodeFailed(
  id: number,
  executionMicros: number,
  failureClass: FailureClass,
  returnCode: number | undefined,
): Buffer {
  const frame = allocateFrame(frameTypes.failed, 13);
  frame.writeUInt32BE(id, FRAME_HEAD_BYTES);
  frame.writeUInt32BE(executionMicros, FRAME_HEAD_BYTES + 4);
  frame.writeUInt8(failureClasses.indexOf(failureClass), FRAME_HEAD_BYTES + 8);
  frame.writeUInt32BE(returnCode === undefined ? NO_RETURN_CODE : returnCode >>> 0, FRAME_HEAD_BYTES + 9);
  return frame;
}

export function parseFailed(payload: Buffer): {
  id: number;
  executionMicros: number;
  failureClass: FailureClass;
  returnCode: number | undefined;
} {
  const returnCode = payload.readUInt32BE(9);
  return {
    id: payload.readUInt32BE(0),
    executionMicros: payload.readUInt32BE(4),
    failureClass: failureClasses[payload.readUInt8(8)] ?? 'unknown',
    returnCode: returnCode === NO_RETURN_CODE ? undefined : returnCode,
  };
}
