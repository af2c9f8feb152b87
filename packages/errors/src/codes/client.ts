import { defineCodes } from '../code-definition.ts';

/** Codes of the SDK and of `sigillum corpus`: what goes wrong at the caller's side. Nobody meets them over HTTP. */
export const clientCodes = defineCodes({
  client_answer_wrong: { status: 502, title: 'The answer of the service does not fit the document' },
  client_document_changed: { status: 409, title: 'The document changed while it was sealed' },
  client_document_unreadable: { status: 400, title: 'The document can not be read' },
  client_option_invalid: { status: 400, title: 'An option is not valid here' },
  corpus_crashed: { status: 500, title: 'The process that sealed the file ended' },
  corpus_file_unreadable: { status: 400, title: 'The file can not be read' },
  corpus_internal: { status: 500, title: 'Sealing the file failed for an unknown reason' },
  corpus_memory_exceeded: { status: 500, title: 'Sealing the file took too much memory' },
  corpus_output_unwritable: { status: 500, title: 'The sealed file can not be written' },
  corpus_seal_wrong: { status: 500, title: 'The sealed file is not what it should be' },
  corpus_timeout: { status: 500, title: 'Sealing the file took too long' },
});
