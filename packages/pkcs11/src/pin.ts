/**
 * Hands a PIN to one native call and wipes the Buffer whatever happens. The addon takes strings alone, so one
 * short-lived string (and the addon's own copy) can't be avoided; nothing else ever holds the PIN.
 */
export function usePin<T>(pin: Buffer, call: (pin: string) => T): T {
  try {
    return call(pin.toString('utf8'));
  } finally {
    pin.fill(0);
  }
}
