import { defineCodes } from '../code-definition.ts';

/** Codes of the event log. */
export const auditCodes = defineCodes({
  audit_event_invalid: { status: 500, title: 'An event can not be recorded as it is' },
  audit_write_failed: { status: 503, title: 'The audit log can not be written' },
  audit_overloaded: { status: 503, title: 'Too many events wait for the audit log' },
  audit_closed: { status: 503, title: 'The audit log is closed' },
  audit_locked: { status: 503, title: 'Another process writes this audit log' },
  audit_log_damaged: { status: 503, title: 'The audit log is damaged' },
});
