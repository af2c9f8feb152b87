import { createHash, randomBytes } from 'node:crypto';
import {
  createArraySource,
  encodeTextString,
  findFirstPage,
  IncrementalUpdate,
  isPdfArray,
  openPdf,
  PdfDict,
  type PdfDocument,
  PdfName,
  type PdfObject,
  PdfPlaceholder,
  type PdfRef,
  PdfString,
  readAcroForm,
} from '@sigillum/pdf';
import {
  encodeMessageImprint,
  encodeSignedAttributes,
  encodeSignedData,
  encodeTstInfo,
  type SignedDataInput,
} from '@sigillum/pki';
import { type OpensslCertificate, OpensslPki, opensslExtensions, SoftwareSignerForTests } from '@sigillum/testing';

/** Makes signed files, good and bad, with a throw-away PKI. */
export class ValidationKit {
  readonly pki = new OpensslPki();
  readonly root = this.pki.issue('root', { key: 'p384', extensions: opensslExtensions.root });
  readonly ca = this.pki.issue('ca', { issuer: this.root, extensions: opensslExtensions.ca });
  readonly tsaCa = this.pki.issue('tsa-ca', { issuer: this.root, extensions: opensslExtensions.ca });
  readonly leaf = this.pki.issue('leaf', { issuer: this.ca, extensions: opensslExtensions.seal });
  readonly tsu = this.pki.issue('tsu', { issuer: this.tsaCa, extensions: opensslExtensions.tsu });
  readonly otherRoot = this.pki.issue('other-root', { extensions: opensslExtensions.root });
  readonly otherTsu = this.pki.issue('other-tsu', { issuer: this.otherRoot, extensions: opensslExtensions.tsu });
  /** EKU not critical. */
  readonly looseTsu = this.pki.issue('loose-tsu', {
    issuer: this.tsaCa,
    extensions: opensslExtensions.tsu.map((line) => line.replace('=critical,timeStamping', '=timeStamping')),
  });
  readonly plainLeaf = this.pki.issue('plain-leaf', {
    issuer: this.ca,
    extensions: opensslExtensions.seal.map((line) => line.replace('nonRepudiation', 'digitalSignature')),
  });

  /** A time-stamp token over a digest. */
  makeToken(digest: Uint8Array, more: { genTime?: Date; tsu?: OpensslCertificate } = {}): Uint8Array {
    const tsu = more.tsu ?? this.tsu;
    const content = encodeTstInfo({
      policy: '2.25.1',
      imprintDer: encodeMessageImprint({ algorithm: 'sha256', digest }),
      serialNumber: randomBytes(16),
      genTime: more.genTime ?? new Date(),
      accuracyMs: 1000,
    });
    const own = encodeSignedAttributes({
      contentType: 'tstInfo',
      messageDigest: sha256(content),
      certificate: tsu.certificate,
    });
    return this.encode(own, tsu, {
      contentType: 'tstInfo',
      content,
      certificates: [tsu.certificate, this.tsaCa.certificate],
    });
  }

  /** A SignedData over signed attributes. */
  encode(signedAttributes: Uint8Array, signer: OpensslCertificate, more: Partial<SignedDataInput> = {}): Uint8Array {
    return encodeSignedData({
      contentType: 'data',
      algorithm: 'ecdsa-p256-sha256',
      signedAttributes,
      signature: this.signValue(signedAttributes, signer),
      signerCertificate: signer.certificate,
      certificates: [signer.certificate, this.ca.certificate],
      ...more,
    });
  }

  signValue(signedAttributes: Uint8Array, signer: OpensslCertificate): Uint8Array {
    return new SoftwareSignerForTests(signer.privateKey, 'ecdsa').signSync(sha256(signedAttributes));
  }

  /** A B-T signature over a document's digest; `token: null` makes it B-B. */
  makeCms(digest: Uint8Array, more: CmsChoices = {}): Uint8Array {
    const signer = more.signer ?? this.leaf;
    const own = encodeSignedAttributes({
      contentType: 'data',
      messageDigest: digest,
      certificate: (more.namedCertificate ?? signer).certificate,
    });
    const signedAttributes = more.attributes?.(own) ?? own;
    const signature = this.signValue(signedAttributes, signer);
    const { genTime, tsu } = more;
    const stamp = { ...(genTime ? { genTime } : {}), ...(tsu ? { tsu } : {}) };
    const token = more.token === null ? undefined : (more.token ?? this.makeToken(sha256(signature), stamp));
    const stamped = token === undefined ? {} : { signatureTimeStamp: token };
    return this.encode(signedAttributes, signer, { signature, ...stamped, ...more.data });
  }

  /** A file signed in an update of its own. */
  sign(bytes: Uint8Array, more: SignatureChoices = {}): Uint8Array {
    const make = more.contents ?? ((digest: Uint8Array) => this.makeCms(digest, more.cms));
    return appendSignature(bytes, make, more);
  }

  /** A document time-stamp in an update of its own. */
  timeStamp(bytes: Uint8Array, more: SignatureChoices = {}): Uint8Array {
    return appendSignature(bytes, (digest) => this.makeToken(digest), {
      ...more,
      dict: { Type: new PdfName('DocTimeStamp'), SubFilter: new PdfName('ETSI.RFC3161'), M: undefined, ...more.dict },
    });
  }

  remove(): void {
    this.pki.remove();
  }
}

export type CmsChoices = {
  readonly signer?: OpensslCertificate;
  readonly namedCertificate?: OpensslCertificate;
  readonly attributes?: (own: Uint8Array) => Uint8Array;
  readonly token?: Uint8Array | null;
  readonly tsu?: OpensslCertificate;
  readonly genTime?: Date;
  readonly data?: Partial<SignedDataInput>;
};

export type SignatureChoices = {
  readonly cms?: CmsChoices;
  readonly contents?: (digest: Uint8Array) => Uint8Array;
  readonly dict?: Readonly<Record<string, PdfObject | undefined>>;
  readonly field?: Readonly<Record<string, PdfObject | undefined>>;
  /** Spelling of the ByteRange; the padding is added. */
  readonly byteRange?: (start: number, end: number, rest: number) => string;
  /** Changes the bytes before they are hashed. */
  readonly reshape?: (file: Buffer) => void;
  readonly change?: (update: IncrementalUpdate, document: PdfDocument, field: PdfRef, signature: PdfRef) => void;
  readonly signingTime?: Date;
};

const contentsSize = 12_000;

/** Appends a signature field and its dictionary; `make` is given the digest of what the ByteRange names. */
function appendSignature(
  bytes: Uint8Array,
  make: (digest: Uint8Array) => Uint8Array,
  more: SignatureChoices,
): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(randomBytes(length)));
  const [signature, field] = [update.allocate(), update.allocate()];
  const byteRange = new PdfPlaceholder(new Uint8Array(64).fill(0x20));
  const contents = new PdfPlaceholder(Buffer.from(`<${'00'.repeat(contentsSize)}>`));
  const base = new PdfDict([
    ['Type', new PdfName('Sig')],
    ['Filter', new PdfName('Adobe.PPKLite')],
    ['SubFilter', new PdfName('ETSI.CAdES.detached')],
    ['ByteRange', byteRange],
    ['Contents', contents],
    ['M', new PdfString(Buffer.from(formatDate(more.signingTime ?? new Date())))],
  ]);
  update.set(signature, base.with(more.dict ?? {}));
  const page = findFirstPage(document);
  const widget = new PdfDict([
    ['Type', new PdfName('Annot')],
    ['Subtype', new PdfName('Widget')],
    ['FT', new PdfName('Sig')],
    ['T', encodeTextString(`Signature${signature.number}`)],
    ['F', 132],
    ['Rect', [0, 0, 0, 0]],
    ['P', page.ref],
    ['V', signature],
  ]);
  update.set(field, widget.with(more.field ?? {}));
  const annotations = document.find(page.dict, 'Annots');
  update.set(page.ref, page.dict.with({ Annots: [...(isPdfArray(annotations) ? annotations : []), field] }));
  const form = readAcroForm(document);
  const fields = [...(form?.fields ?? []), field];
  const dict = (form?.dict ?? new PdfDict()).with({ Fields: fields, SigFlags: 3 });
  if (form?.ref) update.set(form.ref, dict);
  else update.set(document.catalogRef, document.catalog.with({ AcroForm: dict }));
  more.change?.(update, document, field, signature);
  const { bytes: increment, positions } = update.encode();
  const start = bytes.length + (positions.get(contents) ?? 0);
  const end = start + contents.bytes.length;
  const file = Buffer.concat([bytes, increment]);
  const spelling = more.byteRange ?? ((a: number, b: number, c: number) => `[0 ${a} ${b} ${c}]`);
  file.write(spelling(start, end, file.length - end), bytes.length + (positions.get(byteRange) ?? 0), 'latin1');
  more.reshape?.(file);
  const digest = createHash('sha256').update(file.subarray(0, start)).update(file.subarray(end)).digest();
  file.write(Buffer.from(make(digest)).toString('hex'), start + 1, 'latin1');
  return new Uint8Array(file);
}

/** A file with an update that somebody made without signing it. */
export function updateFile(
  bytes: Uint8Array,
  change: (update: IncrementalUpdate, document: PdfDocument) => void,
): Uint8Array {
  const document = openPdf(createArraySource(bytes));
  const update = new IncrementalUpdate(document, (length) => new Uint8Array(randomBytes(length)));
  change(update, document);
  return new Uint8Array(Buffer.concat([bytes, update.encode().bytes]));
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}

export function formatDate(date: Date): string {
  return `D:${date.toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}+00'00'`;
}

/** Where the last `/Contents` stands: offsets of `<` and behind `>`. */
export function findGap(file: Uint8Array): { start: number; end: number } {
  const text = Buffer.from(file).toString('latin1');
  const range = [...text.matchAll(/\/ByteRange\s*\[\s*0\s+(\d+)\s+(\d+)\s+(\d+)/g)].at(-1);
  return { start: Number(range?.[1]), end: Number(range?.[2]) };
}
