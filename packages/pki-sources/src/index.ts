// egress: HTTP to addresses that somebody else has named
export { AddressGuard, type AddressGuardOptions } from './egress/address-guard.ts';
export {
  type GuardedAnswer,
  GuardedClient,
  type GuardedClientOptions,
  type GuardedRequest,
} from './egress/guarded-client.ts';
export { isPublicAddress } from './egress/is-public-address.ts';
export type { Resolve } from './egress/open-connection.ts';
// revocation
export { RevocationCollector } from './revocation/revocation-collector.ts';
export type { RevocationCollectorOptions, RevocationExchange } from './revocation/revocation-options.ts';
// time-stamps
export type { ServerState, TimeStampServerState } from './time-stamps/server-health.ts';
export { TimeStampRequester, type TimeStampRequesterOptions } from './time-stamps/time-stamp-requester.ts';
export type { TimeStampAuthorization, TimeStampServer } from './time-stamps/time-stamp-server.ts';
