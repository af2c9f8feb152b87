import { type CheckCode, getCheck } from './checks.ts';
import type { Finding } from './validation-report.ts';

/** Collects what isn't as it must be; each code once. */
export class Findings {
  readonly #found = new Map<CheckCode, Finding>();

  add(code: CheckCode, detail?: string): void {
    if (this.#found.has(code)) return;
    const { severity, sentence } = getCheck(code);
    this.#found.set(code, { code, severity, sentence, detail });
  }

  has(...codes: readonly CheckCode[]): boolean {
    return codes.some((code) => this.#found.has(code));
  }

  get list(): readonly Finding[] {
    return [...this.#found.values()];
  }

  get hasFailure(): boolean {
    return this.list.some(({ severity }) => severity === 'failure');
  }
}
