import makeCode from 'qrcode-generator';
import type { ContentWriter } from './content-writer.ts';

/** Light modules around a code that readers need (ISO/IEC 18004 §6.3.8). */
const quietZone = 4;

/** A QR code of error correction level M; `dark[row][column]`, from the top left corner. */
export type QrCode = { readonly dark: readonly (readonly boolean[])[] };

/** @param address ASCII, as the URL standard writes it */
export function makeQrCode(address: string): QrCode {
  const code = makeCode(0, 'M');
  code.addData(address, 'Byte');
  code.make();
  const count = code.getModuleCount();
  const line = Array.from({ length: count }, (_, index) => index);
  return { dark: line.map((row) => line.map((column) => code.isDark(row, column))) };
}

/** Modules of a side with the quiet zone. */
export function countModules({ dark }: QrCode): number {
  return dark.length + 2 * quietZone;
}

/** Draws a code in black on white as a square with its lower left corner at a point. Each row's dark runs are one rectangle. */
export function drawQrCode(writer: ContentWriter, code: QrCode, x: number, y: number, side: number): void {
  const module = side / countModules(code);
  writer.setFill([255, 255, 255]);
  writer.rectangle(x, y, side, side);
  writer.fillPath();
  writer.setFill([0, 0, 0]);
  for (const [row, modules] of code.dark.entries()) {
    const bottom = y + side - (quietZone + row + 1) * module;
    for (let start = modules.indexOf(true); start >= 0; ) {
      const light = modules.indexOf(false, start);
      const end = light < 0 ? modules.length : light;
      writer.rectangle(x + (quietZone + start) * module, bottom, (end - start) * module, module);
      start = modules.indexOf(true, end);
    }
  }
  writer.fillPath();
}
