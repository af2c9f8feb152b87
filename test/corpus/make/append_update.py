"""Appends one classic update that replaces the Info dictionary.    python append_update.py INPUT OUTPUT"""

import re
import sys

data = open(sys.argv[1], 'rb').read()
trailers = re.findall(rb'trailer\s*<<(.*?)>>\s*startxref', data, re.S)
root = re.search(rb'/Root (\d+ \d+ R)', trailers[0]).group(1)
size = max(int(n) for t in trailers for n in re.findall(rb'/Size (\d+)', t))
# A linearized file's first section is the newest one, and the last startxref points at it.
previous = int(re.findall(rb'startxref\s+(\d+)', data)[-1])
at = len(data)
body = b'%d 0 obj\n<< /Title (Updated after it was linearized) >>\nendobj\n' % size
xref = at + len(body)
body += b'xref\n%d 1\n%010d 00000 n \ntrailer\n<< /Size %d /Root %s /Info %d 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n' % (
    size, at, size + 1, root, size, previous, xref)
open(sys.argv[2], 'wb').write(data + body)
