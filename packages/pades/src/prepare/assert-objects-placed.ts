import { findReferences, type ObjectSurvey, type PdfDocument } from '@sigillum/pdf';
import { refuseInput } from './input-policy.ts';

/**
 * Refuses a file in which an object that something refers to doesn't begin where the cross-reference says. Readers that
 * meet one look for the objects themselves and take the last they find: they may show another document than the one that
 * the cross-reference shows. Who refers to what is asked only when one is misplaced, since wrong entries for objects that
 * nobody needs are normal.
 */
export function assertObjectsPlaced(document: PdfDocument, { misplaced }: ObjectSurvey): void {
  if (misplaced.size === 0) return;
  const { places } = findReferences(document, misplaced);
  const [number] = places.keys();
  if (number === undefined) return;
  throw refuseInput('objects_placed', {
    sentence: `The PDF says where object ${number} begins, but it is not there, or has no end. Save the PDF again, and try again.`,
  });
}
