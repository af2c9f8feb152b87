"""Prints requests for the samples in a folder, in the form that every judge reads; used when one is installed."""

import base64
import json
import pathlib
import re
import sys


def read_pem(path):
    blocks = re.findall(r'-----BEGIN [^-]+-----(.*?)-----END', path.read_text(), re.S)
    return [base64.b64encode(base64.b64decode(block)).decode() for block in blocks]


def main(directory):
    anchors = {'roots': read_pem(directory / 'root.pem'), 'crls': read_pem(directory / 'crls.pem')}
    for path in sorted(directory.glob('*.pdf')):
        print(json.dumps({'file': str(path), **anchors}))


if __name__ == '__main__':
    main(pathlib.Path(sys.argv[1]))
