// der
export { compareBytes, equalBytes } from './der/compare-bytes.ts';
export { concatBytes } from './der/concat-bytes.ts';
export {
  decodeBitString,
  decodeBoolean,
  decodeInteger,
  decodeNamedBits,
  decodeOctetString,
  decodeOid,
  decodeSmallInteger,
} from './der/decode-der.ts';
export { DerFields } from './der/der-fields.ts';
export { decodeTime, encodeGeneralizedTime, encodeTime } from './der/der-time.ts';
export {
  encodeBitString,
  encodeBoolean,
  encodeEnumerated,
  encodeExplicit,
  encodeIa5String,
  encodeImplicitPrimitive,
  encodeInteger,
  encodeNamedBits,
  encodeNull,
  encodeOctetString,
  encodeOid,
  encodePrintableString,
  encodeSequence,
  encodeSet,
  encodeTlv,
  encodeUnsignedInteger,
  encodeUtf8String,
  retag,
} from './der/encode-der.ts';
export { type DerLimits, type DerNode, readDer } from './der/read-der.ts';
export { contextTag, primitiveContextTag, tags } from './der/tags.ts';
