/**
 * Hands a PIN to one native call and wipes the Buffer whatever happens. The addon takes strings alone, so one string
 * (and the addon's own copy) can't be avoided, and nobody can wipe a string: a process that lives on collects its heap
 * afterwards (hash-signer, `forgetDeadStrings`). Nothing else ever holds the PIN.
 */
export function usePin<T>(pin: Buffer, call: (pin: string) => T): T {
  try {
    return call(pin.toString('utf8'));
  } finally {
    pin.fill(0);
  }
}
