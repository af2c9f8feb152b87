import type { Services } from '../services.ts';
import type { SealStep } from './seal-steps.ts';

/** Knows in which step a seal is, measures each, and stops at the gate before it. */
export class StepClock {
  readonly #services: Services;
  readonly #seal: string;
  step: SealStep | undefined;
  #end: () => void = () => {};

  constructor(services: Services, seal: string) {
    this.#services = services;
    this.#seal = seal;
  }

  async enter(step: SealStep): Promise<void> {
    this.leave();
    await this.#services.stepGate(step, this.#seal);
    this.step = step;
    this.#end = this.#services.metrics.start(step);
  }

  leave(): void {
    this.#end();
    this.#end = () => {};
  }
}
