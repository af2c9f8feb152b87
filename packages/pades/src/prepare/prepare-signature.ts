import {
  assertPermitted,
  IncrementalUpdate,
  listFormFields,
  openPdf,
  type PdfDocument,
  type PdfRef,
} from '@sigillum/pdf';
import { addNewField } from './add-new-field.ts';
import { assertChangesAllowed } from './assert-changes-allowed.ts';
import { assertInputAllowed } from './assert-input-allowed.ts';
import { assertPlacementAllowed } from './assert-placement-allowed.ts';
import { assertSealOptions } from './assert-seal-options.ts';
import { assertSeedValueMet } from './assert-seed-value-met.ts';
import { chooseField, type TargetField } from './choose-field.ts';
import { addCertification, extendForm } from './extend-form.ts';
import { type FieldLock, findFieldLock, listFieldLocks } from './field-lock.ts';
import { fillSignatureField, placeInField } from './fill-signature-field.ts';
import { finishPreparation } from './finish-preparation.ts';
import { refuseInput } from './input-policy.ts';
import { judgeEarlierSignatures } from './judge-earlier-signatures.ts';
import { listEarlierSignatures } from './list-earlier-signatures.ts';
import { makeSignatureDictionary } from './make-signature-dictionary.ts';
import type { PrefixHash } from './prefix-hash.ts';
import type { PrepareInput, SealSigner } from './prepare-input.ts';
import type { PreparedSignature } from './prepared-signature.ts';
import type { PlacedAppearance } from './seal-appearance.ts';
import type { Random, SealOptions } from './seal-options.ts';
import { readSeedValue } from './seed-value.ts';

export type PrepareOptions = SealOptions & {
  /** Bytes of CMS to reserve. */
  readonly contentsSize: number;
  /** Without it a field that wants a certain certificate is refused. */
  readonly signer?: SealSigner | undefined;
  /** What the sealed file will hold besides the signature, for fields that require it. Default: a time-stamp only. */
  readonly provides?: { readonly timeStamp: boolean; readonly revocation: boolean } | undefined;
};

/**
 * Step 3 of a seal: reads the input by its xref, applies the input policy, and makes the increment with the signature in a
 * new field or an existing one and room for the CMS. The digest is that of the whole sealed file but `<hex>`.
 *
 * @param random for the changing half of `/ID`
 * @throws SigillumError `pdf_*` for what can't be read, `pades_option_invalid`, the codes of `inputPolicy`, and for the
 * field: `pades_field_exists`, `pades_field_filled`, `pades_field_unusable`, `pades_appearance_unplaceable`,
 * `seed_value_unsatisfiable`
 */
export function prepareSignature(input: PrepareInput, options: PrepareOptions, random: Random): PreparedSignature {
  assertSealOptions(options);
  const document = openPdf(input.source);
  const fields = listFormFields(document);
  const absent = assertInputAllowed(document, fields);
  const signatures = listEarlierSignatures(document, fields);
  if (options.certify !== undefined && signatures.length > 0) throw refuseInput('certification_first');
  const permissions = assertChangesAllowed(document, signatures, listFieldLocks(document, signatures));
  const target = chooseField(document, options.fieldName, fields, permissions.locks);
  assertPermitted(document, target.kind === 'new' ? 'add-field' : 'fill-field');
  const lock = target.kind === 'existing' ? findFieldLock(document, target.dict) : undefined;
  assertFieldSatisfied(document, target, input.prefixHash, lock, options);
  const isSigned = signatures.length > 0;
  const placed = placeAppearance(document, target, options, isSigned);
  if (target.kind === 'new' && placed !== undefined) assertPlacementAllowed(placed, permissions);

  const update = new IncrementalUpdate(document, random);
  update.avoid(absent);
  // an earlier signature may forbid it, and has no more protection with it than it had
  if (!isSigned) fillGaps(document, update, absent);
  const { certify } = options;
  const transforms = { certify, lock, catalogRef: document.catalogRef };
  const signature = makeSignatureDictionary(options, options.contentsSize, transforms);
  const signatureRef = update.allocate();
  update.set(signatureRef, signature.dict);
  const filling = { signature: signatureRef, placed, isSigned };
  let field: PdfRef | undefined;
  if (target.kind === 'existing') fillSignatureField(document, update, target, filling);
  else field = addNewField(document, update, { name: target.name, ...filling });
  const catalogChanges = {
    ...extendForm(document, update, field),
    ...(certify === undefined ? {} : addCertification(document, signatureRef)),
  };
  if (Object.keys(catalogChanges).length > 0) {
    update.set(document.catalogRef, document.catalog.with(catalogChanges));
  }
  return finishPreparation(input, update, signature, {
    contentsSize: options.contentsSize,
    fieldName: target.name,
    earlierSignatures: judgeEarlierSignatures(document, signatures),
  });
}

/** Gaps filled: files with a few dozen of them exist. */
const maxGaps = 1024;

/**
 * What is referred to and isn't there means null, and is null from now on: else whoever appends could define it without
 * changing any object, and pyHanko, which refuses such references, could not judge the seal. Numbers that were deleted are
 * left so, but for the next generation of them: a strict reader refuses a file that uses them again.
 */
function fillGaps(document: PdfDocument, update: IncrementalUpdate, absent: readonly PdfRef[]): void {
  const usable = absent.filter(({ number, generation }) => {
    const entry = document.findEntry(number);
    return entry?.type === 'free' ? generation > 0 && generation === entry.generation : generation === 0;
  });
  for (const ref of usable.slice(0, maxGaps)) update.occupy(ref);
}

/** `/SV` of an existing field. */
function assertFieldSatisfied(
  document: PdfDocument,
  target: TargetField,
  { algorithm }: PrefixHash,
  lock: FieldLock | undefined,
  options: PrepareOptions,
): void {
  const seed = target.kind === 'existing' ? readSeedValue(document, target.dict) : undefined;
  if (seed === undefined) return;
  const { timeStamp, revocation } = options.provides ?? { timeStamp: true, revocation: false };
  assertSeedValueMet(seed, {
    options,
    digest: algorithm,
    signer: options.signer,
    timeStamp,
    revocation,
    lockLevel: lock?.level,
  });
}

function placeAppearance(
  document: PdfDocument,
  target: TargetField,
  { appearance }: PrepareOptions,
  isSigned: boolean,
): PlacedAppearance | undefined {
  if (appearance === undefined) return undefined;
  return target.kind === 'existing' ? placeInField(document, target, appearance, isSigned) : appearance(document);
}
