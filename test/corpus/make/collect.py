"""Writes collected/index.json and collected/SOURCES.md: PDF files that Debian and npm packages ship.

    python collect.py CORPUS_DIRECTORY CANDIDATES JUDGED

CANDIDATES holds FOLDER/FILE.pdf, copied out of the packages of PACKAGES (`apt-get source`, installed packages, `npm pack`)
and origins.json, a list of [FOLDER/FILE.pdf, path in the package]. JUDGED is a file of JSON lines {file, verdict, o}, what
the judges said of each of them sealed B-LT: taken are those whose seal all accept.
"""

import collections
import hashlib
import json
import pathlib
import re
import shutil
import sys

TEX = 'free (LPPL, GPL and others): /usr/share/doc/texlive-base/copyright'
# folder: (where from, package, version, licence)
PACKAGES = {
    'qpdf': ('Debian source', 'qpdf', '11.3.0-1+deb12u1', 'Apache-2.0'),
    'texlive-latex-recommended': ('Debian', 'texlive-latex-recommended', '2022.20230122-3', TEX),
    'texlive-latex-extra': ('Debian', 'texlive-latex-extra', '2022.20230122-4', TEX),
    'texlive-pictures': ('Debian', 'texlive-pictures', '2022.20230122-3', TEX),
    'texlive-xetex': ('Debian', 'texlive-xetex', '2022.20230122-3', TEX),
    'texlive-base': ('Debian', 'texlive-base', '2022.20230122-3', TEX),
    'r-base-core': ('Debian', 'r-base-core', '4.2.2.20221110-2', 'GPL-2 or later'),
    'fonts-lmodern': ('Debian', 'fonts-lmodern', '2.005-1', 'GUST Font License (LPPL)'),
    'maxima': ('Debian source', 'maxima', '5.46.0-11', 'GPL-2 or later'),
    'trilinos': ('Debian source', 'trilinos', '13.2.0-4', 'BSD-3-Clause'),
    'cups-filters': ('Debian source', 'cups-filters', '1.28.17-3+deb12u2', 'GPL-2 or later, MIT'),
    'node-signpdf': ('npm', 'node-signpdf', '3.0.0', 'MIT'),
    'pdf-merger-js': ('npm', 'pdf-merger-js', '5.1.2', 'MIT'),
    'node-pdftk': ('npm', 'node-pdftk', '2.1.3', 'MIT'),
    'jest-pdf-snapshot': ('npm', 'jest-pdf-snapshot', '0.5.4', 'MIT'),
    'pdf-writer': ('npm', 'pdf-writer', '1.1.3', 'MIT'),
    'pdf-creator-node': ('npm', 'pdf-creator-node', '4.0.1', 'MIT'),
}
# Of a folder with many files those whose hash is least: enough of each kind, and no more to judge than needed.
AT_MOST = {'qpdf': 44, 'texlive-latex-extra': 20, 'texlive-xetex': 12, 'texlive-pictures': 10, 'trilinos': 6}


def producer_of(data):
    """What the file says wrote it, when it says so in plain text."""
    found = re.search(rb'/Producer\s*\(((?:[^()\\]|\\.)*)\)', data) or re.search(rb'/Creator\s*\(((?:[^()\\]|\\.)*)\)', data)
    raw = re.sub(rb'\\([0-7]{3})', lambda octal: bytes([int(octal.group(1), 8) & 255]), found.group(1)) if found else b''
    raw = re.sub(rb'\\(.)', rb'\1', raw)
    text = raw[2:].decode('utf-16-be', 'replace') if raw[:2] == b'\xfe\xff' else raw.decode('latin-1')
    text = re.sub(r'[^ -~]', '', text).replace('|', '/').strip()
    return text[:60] or None


def choose(candidates, origins, words):
    by_folder = collections.defaultdict(list)
    for name, origin in origins.items():
        folder = name.split('/')[0]
        if words.get(name) == 'accept' and folder in PACKAGES:
            by_folder[folder].append((hashlib.sha256((candidates / name).read_bytes()).digest(), name, origin))
    for folder, rows in by_folder.items():
        for _hash, name, origin in sorted(rows)[:AT_MOST.get(folder)]:
            yield name, origin


def main(corpus, candidates, judged):
    corpus, candidates = pathlib.Path(corpus, 'collected'), pathlib.Path(candidates)
    origins = dict(json.loads((candidates / 'origins.json').read_text()))
    words = {'/'.join(row['file'].split('/')[-2:]): row['verdict'] for row in map(json.loads, pathlib.Path(judged).read_text().splitlines())}
    for old in corpus.glob('*/*.pdf'):
        old.unlink()
    files = []
    for name, origin in sorted(choose(candidates, origins, words)):
        folder = name.split('/')[0]
        kind, package, version, licence = PACKAGES[folder]
        (corpus / folder).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(candidates / name, corpus / name)
        data = (corpus / name).read_bytes()
        files.append({
            'file': f'collected/{name}', 'from': kind, 'package': package, 'version': version, 'path': origin, 'licence': licence,
            'producer': producer_of(data), 'signedBefore': bool(re.search(rb'/ByteRange', data)), 'bytes': len(data),
            'sha256': hashlib.sha256(data).hexdigest(),
        })
    rows = ',\n'.join('    ' + json.dumps(row, ensure_ascii=False) for row in files)
    (corpus / 'index.json').write_text('{\n  "version": 1,\n  "files": [\n' + rows + '\n  ]\n}\n')
    count = collections.Counter(row['package'] for row in files)
    text = (
        '# Collected PDF files: where they come from\n\nPDF files that packages of Debian 12 and of npm ship, as they are: what'
        ' people really have. Each keeps the licence of its package. They are sealed B-LT and judged in'
        ' `test/corpus-seals.test.ts` and go into nothing that is shipped.\n\nWritten by `make/collect.py`, which also says'
        f' how they were chosen. {len(files)} files, {sum(row["bytes"] for row in files):,} bytes.\n\n## Packages\n\n'
        '| folder | files | from | package and version | licence |\n| --- | ---: | --- | --- | --- |\n')
    for folder, (kind, package, version, licence) in PACKAGES.items():
        if count[package]:
            text += f'| `{folder}` | {count[package]} | {kind} | {package} {version} | {licence} |\n'
    text += '\n## Files\n\n| file | producer, as it says | path in the package | bytes |\n| --- | --- | --- | ---: |\n'
    for row in files:
        text += f'| {row["file"].removeprefix("collected/")} | {row["producer"] or "not said"} | {row["path"]} | {row["bytes"]} |\n'
    (corpus / 'SOURCES.md').write_text(text)
    print(len(files), len({row['producer'] for row in files}))


if __name__ == '__main__':
    main(*sys.argv[1:4])
