/** The few values of a CMS that OpenSSL's commands want one by one. */
export type CmsParts = {
  /** The ContentInfo without what follows it. */
  readonly der: Uint8Array;
  /** The token is a time-stamp itself: the signature of a /DocTimeStamp. */
  readonly isTimeStamp: boolean;
  readonly signatureValue: Uint8Array;
  /** The tokens in the attribute signature-time-stamp, each a ContentInfo. */
  readonly timeStamps: readonly Uint8Array[];
};

type Element = { readonly tag: number; readonly content: Buffer; readonly whole: Buffer };

const signedData = '2a864886f70d010702'; // 1.2.840.113549.1.7.2
const tstInfo = '2a864886f70d0109100104'; // 1.2.840.113549.1.9.16.1.4
const signatureTimeStamp = '2a864886f70d010910020e'; // 1.2.840.113549.1.9.16.2.14

/** Undefined when the bytes are not a SignedData in DER with a SignerInfo (RFC 5652 §5.1). */
export function readCms(bytes: Uint8Array): CmsParts | undefined {
  const contentInfo = readElement(Buffer.from(bytes), 0);
  if (contentInfo?.tag !== 0x30) return undefined;
  const [type, wrapped] = children(contentInfo);
  if (type?.content.toString('hex') !== signedData || wrapped === undefined) return undefined;
  const body = children(children(wrapped)[0]);
  const encapsulated = body[2];
  const signers = children(body.at(-1));
  const signer = signers[0];
  if (signer === undefined) return undefined;
  const fields = children(signer);
  const unsigned = fields.at(-1)?.tag === 0xa1 ? fields.at(-1) : undefined;
  const signature = fields.at(unsigned === undefined ? -1 : -2);
  if (signature?.tag !== 0x04) return undefined;
  const timeStamps = children(unsigned)
    .map(children)
    .filter(([oid]) => oid?.content.toString('hex') === signatureTimeStamp)
    .flatMap(([, values]) => children(values).map(({ whole }) => whole));
  return {
    der: contentInfo.whole,
    isTimeStamp: children(encapsulated)[0]?.content.toString('hex') === tstInfo,
    signatureValue: signature.content,
    timeStamps,
  };
}

function children(parent: Element | undefined): Element[] {
  const elements: Element[] = [];
  if (parent === undefined) return elements;
  for (let at = 0; at < parent.content.length; ) {
    const element = readElement(parent.content, at);
    if (element === undefined) return [];
    elements.push(element);
    at += element.whole.length;
  }
  return elements;
}

/** One-byte tags and definite lengths of at most four bytes: all that DER of this size has. */
function readElement(bytes: Buffer, at: number): Element | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined || first === 0x80 || first > 0x84) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  if (at + 2 + lengthBytes > bytes.length) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(at + 2, lengthBytes);
  const start = at + 2 + lengthBytes;
  if (start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), whole: bytes.subarray(at, start + length) };
}
