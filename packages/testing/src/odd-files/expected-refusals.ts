/** Odd files that are refused, by code: at least one engine complains, rebuilds the file, or shows something else there. */
export const oddRefusals: Readonly<Record<string, readonly string[]>> = {
  // pyHanko and qpdf find no header, EU DSS and mupdf look for the dot
  pdf_header_missing: ['header-ps', 'header-no-minor'],
  // mupdf or qpdf rebuild the table
  pdf_startxref_missing: ['startxref-comment', 'startxref-no-space-after', 'startxref-plus'],
  pdf_xref_damaged: [
    'count-large-by-one',
    'count-small-by-one',
    'prev-past-end',
    'xrefstm-0',
    'streams-index-indirect',
    'streams-size-large-no-index',
    'streams-rows-fewer',
    'streams-type-missing',
  ],
  pdf_xref_loop: ['prev-itself'],
  pdf_object_misplaced: [
    'offsets-one-late',
    'generations-1',
    'streams-container-count-small',
    'streams-container-index-wrong',
    'streams-container-index-high',
    // what has no end takes in whatever is appended
    'needed-string-open',
    'needed-stream-length-wrong',
    'needed-other-number',
    'needed-no-object',
  ],
  pdf_limit_exceeded: ['leftover-nested', 'needed-nested'],
  pdf_object_malformed: ['endobj-cut', 'value-hex-junk', 'value-keyword-unknown'],
  // qpdf or pyHanko refuse the first three; Ghostscript, mupdf or poppler show no page for the others
  pdf_type_wrong: [
    'prev-negative',
    'prev-real',
    'prev-indirect',
    'type-wrong-catalog',
    'type-wrong-page',
    'pages-kids-direct',
    'page-annots-dict',
    'page-annots-number',
    'streams-container-no-type',
  ],
  // where content ends, and how many pages there are, each guesses in its own way
  pades_page_damaged: [
    'length-one-short',
    'length-missing',
    'length-null',
    'length-zero',
    'length-real',
    'length-dangling',
    'endstream-missing',
    'pages-count-large',
    'pages-count-zero',
    'pages-count-minus',
    'pages-kids-null',
    'pages-kids-missing-object',
    'page-contents-missing-object',
    'page-contents-array-with-null',
    'page-contents-array-with-missing',
  ],
  pdf_stream_damaged: ['stream-comment', 'streams-container-count-large'],
  pdf_page_missing: ['pages-none'],
};
