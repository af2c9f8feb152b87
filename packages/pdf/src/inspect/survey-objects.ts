import { isSigillumError, SigillumError } from '@sigillum/errors';
import type { PdfDocument } from '../document/pdf-document.ts';
import { limits } from '../limits.ts';
import { PdfRef } from '../objects/pdf-object.ts';
import { isWhiteSpace } from '../syntax/characters.ts';
import { DoubtfulObjects } from './doubtful-objects.ts';
import { generations, listReferences } from './known-references.ts';
import { ValueSkimmer } from './value-skimmer.ts';

/** What a look at all objects of a file tells, without making them. */
export type ObjectSurvey = {
  /** Entries in use whose object isn't where they say, or doesn't end; in object streams nobody looks for them elsewhere. */
  readonly misplaced: ReadonlySet<number>;
  /**
   * Whether no object has a key twice, every reference leads to an object, and what pages have as content are streams that end
   * where they say. When not, whoever wants to know where must read what the pages need; it may be nothing of it.
   */
  readonly isClear: boolean;
  /** What an object is by its own words. */
  kindOf(number: number): ObjectKind;
};

export type ObjectKind = 'missing' | 'dictionary' | 'branch' | 'stream' | 'other';
const kinds = ['missing', 'other', 'dictionary', 'branch', 'stream', 'stream'] as const;
/** Places in `kinds`: a branch has `/Kids`; a bad stream doesn't end where it says, or stands in another file; then those not looked at. */
const [missing, other, dictionary, branch, stream, badStream, plain, compressed] = [0, 1, 2, 3, 4, 5, 6, 7];

/** Bytes read of an object at first: most objects that aren't streams are shorter, and so are their neighbours. */
const firstRead = 8192;
/** Bytes of a file above which its object streams are read on a budget of their own. */
const largeFile = 1024 * 1024;
/** White space between the data of a stream and `endstream`: an end of line, and what some writers add. */
const maxSpace = 32;
const endstream = Buffer.from('endstream');

/**
 * Goes over all objects that the cross-reference calls in use, but not over the data of streams. Its time grows with the bytes of the objects, within `limits.surveyedBytes` and `limits.surveyedObjects`.
 *
 * @throws SigillumError `pdf_limit_exceeded`
 */
export function surveyObjects(document: PdfDocument): ObjectSurvey {
  return new Survey(document).run();
}

class Survey {
  readonly #document: PdfDocument;
  readonly #states: Uint8Array;
  readonly #generations: Uint16Array;
  readonly #misplaced = new Set<number>();
  readonly #skimmer = new ValueSkimmer();
  readonly #doubtful: DoubtfulObjects;
  /** Numbers of the streams that are content of something. */
  readonly #contents: number[] = [];
  /** Objects that are a count and nothing else: lengths of streams. */
  readonly #counts = new Map<number, number>();
  /** Streams whose length stands in another object: number, end without it, number of the length. */
  readonly #elsewhere: (readonly [number, number, number])[] = [];
  #window: Uint8Array = new Uint8Array(0);
  #windowStart = 0;
  #isClear = true;
  #bytesLeft: number = limits.surveyedBytes;

  constructor(document: PdfDocument) {
    // all object streams of a large file are more than what reading it for a seal may take
    const budget = { bytes: limits.surveyedBytes, values: limits.values };
    this.#document = document.source.size > largeFile ? document.viewAt(0, budget) : document;
    this.#doubtful = new DoubtfulObjects(this.#document);
    const end = document.sections.reduce((most, section) => Math.max(most, section.end), 1);
    this.#states = new Uint8Array(end);
    this.#generations = new Uint16Array(end);
  }

  run(): ObjectSurvey {
    const { numbers, places, containers } = this.#listObjects();
    // as they lie in the file: one window serves many
    for (const place of Float64Array.from(places).sort()) {
      this.#visitPlain(numbers[place % limits.surveyedObjects] ?? 0, Math.floor(place / limits.surveyedObjects));
    }
    for (const [container, members] of containers) this.#visitContainer(container, members);
    for (const [number, start, lengthNumber] of this.#elsewhere) {
      const length = this.#counts.get(lengthNumber);
      this.#noteEnd(number, length === undefined ? undefined : start + length);
    }
    for (const one of listReferences(this.#document.trailer)) {
      if (!this.#isThere(Math.floor(one / generations), one % generations)) this.#isClear = false;
    }
    if (this.#contents.some((number) => this.#states[number] !== stream)) this.#isClear = false;
    const states = this.#states;
    return {
      misplaced: this.#misplaced,
      isClear: this.#isClear,
      kindOf: (number) => kinds[states[number] ?? missing] ?? 'other',
    };
  }

  /**
   * What each number is by the newest section that lists it. A place is an offset × `surveyedObjects` + an index in `numbers`: exact up
   * to 16 GB, and sorted in a tenth of the time of pairs.
   */
  #listObjects(): { numbers: number[]; places: number[]; containers: Map<number, Member[]> } {
    const [states, { base, source }] = [this.#states, this.#document];
    const seen = new Uint8Array(states.length);
    const [numbers, places]: [number[], number[]] = [[], []];
    const containers = new Map<number, Member[]>();
    let left: number = limits.surveyedObjects;
    for (const section of this.#document.sections) {
      for (const number of section.numbers()) {
        if (seen[number] !== 0) continue;
        seen[number] = 1;
        const entry = section.find(number);
        // an entry at offset 0 is a free one
        if (entry === undefined || entry.type === 'free' || (entry.type === 'plain' && entry.offset === 0)) continue;
        if (left-- === 0) throw exceeded('objects');
        if (entry.type === 'plain') {
          states[number] = plain;
          this.#generations[number] = entry.generation;
          places.push(Math.min(entry.offset + base, source.size) * limits.surveyedObjects + numbers.length);
          numbers.push(number);
        } else {
          states[number] = compressed;
          const members = containers.get(entry.container) ?? [];
          if (members.push([number, entry.index]) === 1) containers.set(entry.container, members);
        }
      }
    }
    return { numbers, places, containers };
  }

  #visitPlain(number: number, offset: number): void {
    const { source } = this.#document;
    this.#states[number] = other;
    if (offset >= source.size) {
      this.#misplaced.add(number);
      return;
    }
    for (let wanted = firstRead; ; wanted *= 2) {
      const isWhole = this.#load(offset, wanted);
      const at = offset - this.#windowStart;
      const start = this.#skipHead(at, number);
      if (start === -2) {
        this.#misplaced.add(number);
        return;
      }
      const end = start < 0 ? -1 : this.#skimmer.skim(this.#window, start, isWhole);
      if (end >= 0 && (isWhole || end + 'stream\r\n'.length + maxSpace < this.#window.length)) {
        this.#spend(end - at);
        this.#note(number, end);
        return;
      }
      if (end === -2 || isWhole) {
        // what goes on to the end of the file would go on in what is appended to it
        if (end === -1) this.#misplaced.add(number);
        // an error to the strict reader, or not: that one shall say
        else this.#note(number, -1);
        this.#spend(this.#window.length - at);
        return;
      }
      this.#spend(this.#window.length - at);
    }
  }

  /** Makes the window begin at or before an offset and hold some bytes from there on. @returns whether it ends with the file */
  #load(offset: number, wanted: number): boolean {
    const { source } = this.#document;
    const end = Math.min(offset + wanted, source.size);
    const isInside = offset >= this.#windowStart && offset < this.#windowStart + this.#window.length;
    // what begins in the window most often ends there too
    if (!isInside || wanted > firstRead) {
      this.#window = source.read(offset, end - offset);
      this.#windowStart = offset;
    }
    return this.#windowStart + this.#window.length === source.size;
  }

  /** Behind `number generation obj`; −1 when the window ends before, −2 when something else stands there. */
  #skipHead(from: number, number: number): number {
    const bytes = this.#window;
    let at = from;
    for (const expected of [number, this.#generations[number] ?? 0]) {
      while (at < bytes.length && isWhiteSpace(bytes[at] ?? 0)) at++;
      let value = 0;
      const start = at;
      for (let byte = bytes[at] ?? 0; at < bytes.length && byte >= 0x30 && byte <= 0x39; byte = bytes[at] ?? 0) {
        value = value * 10 + byte - 0x30;
        at++;
      }
      if (at >= bytes.length) return -1;
      if (at === start || value !== expected) return -2;
    }
    while (at < bytes.length && isWhiteSpace(bytes[at] ?? 0)) at++;
    if (at + 2 >= bytes.length) return -1;
    return bytes[at] === 0x6f && bytes[at + 1] === 0x62 && bytes[at + 2] === 0x6a ? at + 3 : -2;
  }

  #visitContainer(container: number, members: readonly Member[]): void {
    let place: { bytes: Uint8Array; find(index: number, number: number): number };
    try {
      place = this.#document.openObjectStream(container);
    } catch (error) {
      if (!isSigillumError(error) || error.code === 'pdf_limit_exceeded') throw error;
      // whatever is in it can't be read
      for (const [number] of members) this.#states[number] = other;
      this.#isClear = false;
      return;
    }
    for (const [number, index] of members) {
      this.#states[number] = other;
      const start = place.find(index, number);
      if (start < 0) {
        this.#isClear = false;
        continue;
      }
      const end = this.#skimmer.skim(place.bytes, start, true);
      this.#spend((end === -1 ? place.bytes.length : end < 0 ? this.#skimmer.reached : end) - start);
      this.#note(number, end < 0 ? -1 : 0);
    }
  }

  /** Keeps what the skimmer found. @param end in the window, behind the value; 0 in an object stream, −1 when it is odd */
  #note(number: number, end: number): void {
    const skimmer = this.#skimmer;
    if (this.#isClear && (end < 0 || skimmer.hasKeyTwice)) {
      // slow: one is enough
      this.#isClear = !this.#doubtful.has(new PdfRef(number, this.#generations[number] ?? 0));
    }
    if (end < 0) return;
    const { references, referenceCount } = skimmer;
    for (let at = 0; at < referenceCount; at += 2)
      if (!this.#isThere(references[at] ?? -1, references[at + 1] ?? 0)) this.#isClear = false;
    if (skimmer.hasOddContents) this.#isClear = false;
    for (const at of skimmer.contents) this.#contents.push(references[at] ?? -1);
    if (skimmer.kind === 'integer') this.#counts.set(number, skimmer.integer);
    if (skimmer.kind !== 'dictionary') return;
    this.#states[number] = skimmer.hasKids ? branch : dictionary;
    if (end > 0) this.#noteStream(number, end);
  }

  /** What is compressed has generation 0, and so have their places. */
  #isThere(number: number, generation: number): boolean {
    return (this.#states[number] ?? missing) !== missing && this.#generations[number] === generation;
  }

  #noteStream(number: number, end: number): void {
    const { hasFile, length, lengthIn } = this.#skimmer;
    const bytes = this.#window;
    let at = this.#skimmer.skipSpace(bytes, end);
    for (const letter of streamWord) if (bytes[at++] !== letter) return;
    while (bytes[at] === 0x20 || bytes[at] === 0x09) at++;
    const line = at;
    if (bytes[at] === 0x0d) at++;
    if (bytes[at] === 0x0a) at++;
    const start = this.#windowStart + at;
    this.#states[number] = stream;
    if (hasFile || line === at) this.#states[number] = badStream;
    else if (lengthIn >= 0) this.#elsewhere.push([number, start, lengthIn]);
    else this.#noteEnd(number, length < 0 ? undefined : start + length);
  }

  /** A stream by where its data end, as far as that is known: behind the file it would take in what is appended. */
  #noteEnd(number: number, end: number | undefined): void {
    if (end === undefined || !this.#endsAt(end)) this.#states[number] = badStream;
    if (end !== undefined && end > this.#document.source.size) this.#misplaced.add(number);
  }

  /** Whether `endstream` stands at an offset, white space apart. */
  #endsAt(offset: number): boolean {
    const { source } = this.#document;
    if (offset > source.size) return false;
    const { length } = this.#window;
    const inWindow = offset - this.#windowStart;
    const most = Math.min(maxSpace + endstream.length, source.size - offset);
    const isInside = inWindow >= 0 && inWindow + most <= length;
    const bytes = isInside ? this.#window.subarray(inWindow, inWindow + most) : source.read(offset, most);
    let at = 0;
    while (at < bytes.length && isWhiteSpace(bytes[at] ?? 1)) at++;
    return at + endstream.length <= bytes.length && endstream.every((letter, index) => bytes[at + index] === letter);
  }

  #spend(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) throw exceeded('bytes of objects');
  }
}

type Member = readonly [number: number, index: number];
const streamWord = Buffer.from('stream');
const exceeded = (what: string): SigillumError =>
  new SigillumError('pdf_limit_exceeded', `The PDF has more ${what} than are looked at in one file.`);
