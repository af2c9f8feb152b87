import { encodeTimeStampFailure, parseTimeStampRequest, type PkiFailure, TimeStampRefusal } from '@sigillum/pki';
import type { AcceptedRequest } from '../token/issue-time-stamps.ts';
import type { Abort, IssuingQueue, ListenerName } from '../token/issuing-queue.ts';

export type QueryAnswer = {
  /** TimeStampResp. */
  readonly der: Uint8Array;
  readonly outcome: 'granted' | PkiFailure;
};

/**
 * TimeStampReq in, TimeStampResp out. What RFC 3161 has a failure for is answered with it; anything else, such as a full
 * queue or a signer that is away, is thrown and becomes an HTTP status.
 */
export async function answerTimeStampQuery(
  query: Uint8Array,
  context: {
    readonly queue: IssuingQueue<AcceptedRequest, Uint8Array>;
    readonly policy: string;
    readonly listener: ListenerName;
    readonly requestId: string;
    readonly client?: string | undefined;
    readonly signal?: Abort;
  },
): Promise<QueryAnswer> {
  try {
    const request = parseTimeStampRequest(query);
    if (request.policy !== undefined && request.policy !== context.policy) {
      throw new TimeStampRefusal('unacceptedPolicy', `This service issues under the policy ${context.policy} only.`);
    }
    const { listener, requestId, client } = context;
    const der = await context.queue.submit(listener, { request, requestId, listener, client }, context.signal);
    return { der, outcome: 'granted' };
  } catch (error) {
    if (!(error instanceof TimeStampRefusal)) throw error;
    return { der: encodeTimeStampFailure(error.failure, error.message), outcome: error.failure };
  }
}
