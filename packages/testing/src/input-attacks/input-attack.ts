/** A hostile document to be sealed. */
export type InputAttack = {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** In a few words. */
  readonly attacks: string;
};

export function attack(name: string, attacks: string, bytes: Uint8Array): InputAttack {
  return { name, attacks, bytes };
}
