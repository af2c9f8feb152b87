export {
  TimeStampRequester,
  type TimeStampRequesterOptions,
  type TimeStampServer,
} from './time-stamp-requester.ts';
