/** A date string of PDF (ISO 32000-2 §7.9.4), `D:YYYYMMDDHHmmSSOHH'mm'` with everything after the year optional. */
export function readPdfDate(bytes: Uint8Array): Date | undefined {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const match = pattern.exec(text);
  if (match === null) return undefined;
  const [
    ,
    year,
    month = '01',
    day = '01',
    hour = '00',
    minute = '00',
    second = '00',
    sign,
    offset = '00',
    rest = '00',
  ] = match;
  const local = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(local);
  // 30 February becomes 2 March: not what stands there
  if (Number.isNaN(time.getTime()) || time.toISOString() !== local) return undefined;
  if (Number(offset) > 23 || Number(rest) > 59) return undefined;
  const minutes = Number(offset) * 60 + Number(rest);
  return new Date(time.getTime() - (sign === '-' ? -minutes : minutes) * 60_000);
}

const pattern =
  /^D:(\d{4})(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d)(?:(\d\d))?)?)?)?)?(?:([+-])(\d\d)(?:'(\d\d)?'?)?|Z(?:00(?:'(?:00)?'?)?)?)?$/;
