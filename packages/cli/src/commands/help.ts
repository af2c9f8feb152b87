/** What `sigillum help` prints. */
export const helpText = `Usage:
  sigillum seal IN.pdf -o OUT.pdf [options]   seal and time-stamp a PDF
  sigillum status [options]                   whether the service can seal now
  sigillum help                               this text

Which service (default: the development home that runs here, from .sigillum/run/ready.json upwards):
  --home DIR          the development home
  --url URL           another service; it needs --key-file
  --key-file FILE     file with the API key (never give a key on the command line)

Options of seal:
  -o, --output FILE   where the sealed PDF goes; - is standard output
  --credential NAME   name or id of the credential (default: the service's default)
  --reason TEXT       why the document is sealed
  --location TEXT     where it is sealed
  --contact-info TEXT how to reach the sealer
  --name TEXT         name of the sealer
  --force             replace OUT.pdf when it is there
  IN.pdf may be - for standard input.

Exit codes: 0 done, 1 the service refused or failed (or, for status, can't seal now), 2 wrong usage.
`;
