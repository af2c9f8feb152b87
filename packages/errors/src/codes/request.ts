import { defineCodes } from '../code-definition.ts';

/** Anything wrong with a request before its content is looked at. */
export const requestCodes = defineCodes({
  request_invalid: { status: 400, title: 'The request is not valid' },
  request_unauthenticated: { status: 401, title: 'Credentials are missing or wrong' },
  request_forbidden: { status: 403, title: 'Not allowed' },
  request_not_found: { status: 404, title: 'Not found' },
  request_method_not_allowed: { status: 405, title: 'Method not allowed' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  request_aborted: { status: 499, title: 'The caller hung up' },
  request_length_required: { status: 411, title: 'Content-Length is required' },
  request_too_large: { status: 413, title: 'The body is too large' },
  request_media_type_unsupported: { status: 415, title: 'Media type not supported' },
  request_not_acceptable: { status: 406, title: 'No acceptable representation' },
  request_expectation_failed: { status: 417, title: 'The expectation can not be met' },
  request_head_too_large: { status: 431, title: 'The request head is too large' },
  request_rate_limited: { status: 429, title: 'Too many requests' },
  internal_error: { status: 500, title: 'Internal error' },
  service_overloaded: { status: 503, title: 'The service is overloaded' },
  service_unavailable: { status: 503, title: 'The service is not available' },
  config_invalid: { status: 500, title: 'The configuration is not valid' },
});
