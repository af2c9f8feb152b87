import { describe, expect, test } from '@jest/globals';
import { codeRegistry, findCodeDefinition, isErrorCode, isSigillumError, SigillumError, toProblem } from './index.ts';

describe('the code registry', () => {
  test('codes are flat snake_case, have an error status and a title without a full stop', () => {
    for (const [code, { status, title }] of Object.entries(codeRegistry)) {
      expect(code).toMatch(/^[a-z0-9]+(_[a-z0-9]+)+$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).toMatch(/^[A-Z][^.]+$/);
    }
  });

  test('names that every object has are no codes', () => {
    for (const name of ['constructor', '__proto__', 'toString', '']) {
      expect(isErrorCode(name)).toBe(false);
      expect(findCodeDefinition(name)).toBeUndefined();
    }
  });
});

describe('problems', () => {
  test('a typed error becomes its problem, with its fields', () => {
    const error = new SigillumError('request_invalid', 'Two fields are wrong.', {
      fields: [{ pointer: '/reason', detail: 'is longer than 200 characters' }],
    });
    expect(toProblem(error, 'req_1')).toEqual({
      type: '/problems/request_invalid',
      title: 'The request is not valid',
      status: 400,
      detail: 'Two fields are wrong.',
      code: 'request_invalid',
      request_id: 'req_1',
      errors: [{ pointer: '/reason', detail: 'is longer than 200 characters' }],
    });
  });

  test('what is not ours becomes internal_error and tells nothing', () => {
    const problem = toProblem(new Error('password is hunter2'), 'req_2');
    expect(problem.code).toBe('internal_error');
    expect(JSON.stringify(problem)).not.toContain('hunter2');
  });

  test('an error keeps its cause, and is recognised by its codes', () => {
    const cause = new Error('below');
    const error = new SigillumError('service_unavailable', 'Try again.', { cause, retryAfterSeconds: 2 });
    expect(error.cause).toBe(cause);
    expect(error.retryAfterSeconds).toBe(2);
    expect(isSigillumError(error)).toBe(true);
    expect(isSigillumError(error, 'service_unavailable')).toBe(true);
    expect(isSigillumError(error, 'request_invalid')).toBe(false);
    expect(isSigillumError(cause)).toBe(false);
  });
});
