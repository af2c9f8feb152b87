/** What `sigillum help` prints. */
export const helpText = `Usage:
  sigillum seal IN.pdf -o OUT.pdf [options]   seal and time-stamp a PDF
  sigillum extend FILE.pdf --level LEVEL      raise a sealed PDF to b-lt or b-lta, or renew b-lta
  sigillum corpus DIR [options]               seal every PDF below a folder, and tabulate what became of each
  sigillum verify FILE.pdf [options]          whether signatures and time-stamps of a PDF are valid
  sigillum audit verify DIR [options]         whether a log is whole, and tokens are in it
  sigillum status [options]                   whether the service can seal now
  sigillum help                               this text

Which service (default: the development home that runs here, from .sigillum/run/ready.json upwards):
  --home DIR          the development home
  --url URL           another service; it needs --key-file
  --key-file FILE     file with the API key (never give a key on the command line)

Options of seal:
  -o, --output FILE   where the sealed PDF goes; - is standard output
  --level LEVEL       b-t (default: with a time-stamp), b-lt (with validation data), b-lta (with an archive time-stamp)
  --local             the document stays here: only digests are sent
  --certify P         certify: 1 no change allowed afterwards, 2 forms and signatures, 3 annotations too
  --field NAME        an empty signature field of the document, or the name of the new one
  --appearance FILE   a visible seal: JSON as in the API, e.g. {"page": 1, "rectangle": [36, 40, 236, 110]}
  --font FILE         with --local: a TrueType font for what Noto Sans lacks in a visible seal; may come several times.
                      Give the service's fonts in its order, and the seal is the one that it would make
  --credential NAME   name or id of the credential (default: the service's default)
  --reason TEXT       why the document is sealed
  --location TEXT     where it is sealed
  --contact-info TEXT how to reach the sealer
  --name TEXT         name of the sealer
  --force             replace OUT.pdf when it is there
  IN.pdf may be - for standard input.

Options of extend:
  --level LEVEL       b-lt or b-lta
  -o, --output FILE   where the extended PDF goes (default: in the place of FILE.pdf)
  --force             replace the output when it is there

Options of corpus (documents stay here, as with seal --local):
  --level LEVEL       b-t (default), b-lt, b-lta
  --credential NAME   name or id of the credential
  --out DIR           folder for the sealed files, named like their inputs; those that are there are replaced
  --json FILE         one line of JSON for each file; - is standard output
  Every file called *.pdf in any case, and every one that begins like a PDF; links are followed.
  Exit codes of corpus: 0 each file was sealed or refused, 1 one failed.

Options of verify (works offline; no key needed):
  --root FILE         certificates to trust, PEM or DER; may come several times
                      (default: the root of the development home, or of --home DIR)
  --profile NAME      baseline (default): PAdES baseline only
                      any-intact: also what is intact and trusted but not baseline
  --only-last         judge the last signature only; --field NAME: that of one field
  --json              the whole report as JSON
  Exit codes of verify: 0 accepted, 1 refused, 2 no readable PDF or wrong usage.

Options of audit verify (works offline; DIR is the folder of a log, a transcript, or a folder of transcripts):
  --chain ID          whose log it has to be: tsa-1, hash-signer/hash-signer-1 (a transcript: its file's name)
  --head SEQ:HASH     a head known from elsewhere, which shows whether the end was cut off
  --after SEQ:HASH    the head of the last segment that was archived elsewhere: the log goes on from there
  --tokens DIR        time-stamp tokens and responses (DER) that must be recorded in the logs
  --json              the report as JSON
  Exit codes of audit verify: 0 nothing wrong, 1 something is, 2 no log or wrong usage.

Exit codes: 0 done, 1 the service refused or failed (or, for status, can't seal now),
  2 wrong usage, or a file or disk that can't be used.
`;
