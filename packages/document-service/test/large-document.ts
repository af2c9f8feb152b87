/**
 * Seals a PDF of 1 GiB in a development home, plain, as a form, and read slowly, and prints time, processor time and peak
 * memory of document-service beside what it costs to read, hash and write the same file. Needs 6 GB of disk and curl, which
 * runs on the same processors: writing what comes takes it as long as it takes the floor, so each seal is also measured
 * with an answer that is thrown away.
 *
 * A virtual machine whose host takes free memory back pays several times a write for each page that it touches anew,
 * whoever does: before each measurement, the floor's too, as much memory is touched as it will need.
 *
 *   node --conditions=source packages/document-service/test/large-document.ts [MiB]
 */
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DevelopmentHome } from '@sigillum/testing';

const mebibytes = Number(process.argv[2] ?? 1024);
const folder = mkdtempSync(join(tmpdir(), 'sigillum-large-'));
const input = join(folder, 'large.pdf');
const output = join(folder, 'sealed.pdf');

/** One page and one large stream object that nothing shows. */
function writePdf(): void {
  const file = openSync(input, 'w');
  const offsets: number[] = [];
  let size = 0;
  const write = (part: string | Uint8Array): void => {
    size += writeSync(file, Buffer.from(part));
  };
  const writeObject = (body: string): void => {
    offsets.push(size);
    write(`${offsets.length} 0 obj\n${body}`);
  };
  write('%PDF-1.7\n');
  writeObject('<< /Type /Catalog /Pages 2 0 R >>\nendobj\n');
  writeObject('<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n');
  writeObject('<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\n');
  writeObject(`<< /Length ${mebibytes * 1024 ** 2} >>\nstream\n`);
  for (let done = 0; done < mebibytes; done += 1) write(randomBytes(1024 ** 2));
  write('\nendstream\nendobj\n');
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const start = size;
  write(`xref\n0 5\n0000000000 65535 f \n${rows}trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n${start}\n%%EOF\n`);
  fsyncSync(file);
  closeSync(file);
}

/** Has the pages there that the input again and the output will take in the page cache. */
function touchMemory(): void {
  rmSync(output, { force: true });
  const scratch = openSync(output, 'w');
  const piece = Buffer.alloc(1024 ** 2, 1);
  for (let done = 0; done < 2.2 * mebibytes; done += 1) writeSync(scratch, piece);
  closeSync(scratch);
  rmSync(output);
}

/** Seconds to read, hash and write the file, one after the other for each piece. */
function measureFloor(): number {
  touchMemory();
  const started = performance.now();
  const [from, to] = [openSync(input, 'r'), openSync(output, 'w')];
  const [buffer, hash] = [Buffer.alloc(256 * 1024), createHash('sha256')];
  for (let read = 1; read > 0; ) {
    read = readSync(from, buffer);
    hash.update(buffer.subarray(0, read));
    writeSync(to, buffer.subarray(0, read));
  }
  hash.digest();
  closeSync(from);
  closeSync(to);
  return (performance.now() - started) / 1000;
}

function curl(home: DevelopmentHome, args: readonly string[], keep = true): number {
  touchMemory();
  const started = performance.now();
  const key = `Authorization: Bearer ${home.ready.api_key}`;
  const url = `${home.ready.url}/v1/seals`;
  const all = ['-sS', '-f', '-o', keep ? output : '/dev/null', '-H', key, ...args, url];
  execFileSync('curl', all, { stdio: ['ignore', 'inherit', 'inherit'] });
  return (performance.now() - started) / 1000;
}

function readPeak(home: DevelopmentHome): number {
  const status = readFileSync(`/proc/${home.findService('document-service').pid}/status`, 'utf8');
  return (Number(/VmHWM:\s+(\d+)/.exec(status)?.[1]) * 1024) / 1e6;
}

/** Processor time of document-service so far, in seconds (proc(5): ticks of 10 ms). */
function readProcessorTime(home: DevelopmentHome): number {
  const fields = readFileSync(`/proc/${home.findService('document-service').pid}/stat`, 'utf8').split(' ');
  return (Number(fields[13]) + Number(fields[14])) / 100;
}

const home = await DevelopmentHome.start();
try {
  writePdf();
  let before = 0;
  const show = (what: string, seconds: number, floor: number): void => {
    const ratio = (seconds / floor).toFixed(2);
    const processor = (readProcessorTime(home) - before).toFixed(2);
    const peak = readPeak(home).toFixed(0);
    console.log(`${what.padEnd(30)} ${seconds.toFixed(2)} s  ${ratio} × floor  CPU ${processor} s  peak ${peak} MB`);
    before = readProcessorTime(home);
  };
  const floor = Math.min(measureFloor(), measureFloor());
  console.log(`read + SHA-256 + write         ${floor.toFixed(2)} s  (${mebibytes} MiB)`);
  before = readProcessorTime(home);
  const plain = ['-H', 'Content-Type: application/pdf', '-T', input, '-X', 'POST'];
  const form = ['-F', 'options={"level":"b-lta"}', '-F', `file=@${input}`];
  for (const keep of [false, true]) {
    const then = keep ? 'kept' : 'thrown away';
    show(`application/pdf, ${then}`, curl(home, plain, keep), floor);
    show(`multipart b-lta, ${then}`, curl(home, form, keep), floor);
  }
  const slowly = [...plain, '--limit-rate', '100M'];
  show('read and sent slowly', curl(home, slowly), floor);
} finally {
  await home.remove();
  rmSync(folder, { recursive: true });
}
