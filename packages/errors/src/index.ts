export type { CodeDefinition } from './code-definition.ts';
export { codeRegistry, type ErrorCode, findCodeDefinition, isErrorCode } from './code-registry.ts';
export { type Problem, problemMediaType, toProblem } from './problem.ts';
export { type FieldProblem, isSigillumError, SigillumError, type SigillumErrorOptions } from './sigillum-error.ts';
