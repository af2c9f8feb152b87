import type { MessageImprint, TimeStampToken } from '@sigillum/pki';

/** Where time-stamps come from. It answers verified tokens only, and throws `tsa_unavailable` when there are none. */
export type TimeStampSource = {
  request(imprint: MessageImprint, signal?: AbortSignal): Promise<TimeStampToken>;
};
