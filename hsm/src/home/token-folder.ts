/** Whether a folder is that token's: SoftHSM names them with UUIDs whose last sixteen digits are the serial number. */
export function isFolderOf(name: string, serial: string): boolean {
  return name.replaceAll('-', '').endsWith(serial);
}
