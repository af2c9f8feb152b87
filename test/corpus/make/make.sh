#!/bin/sh
# Makes the whole corpus again.      make.sh CORPUS WORK
# Needs Debian 12 with the packages of packages.txt, Python 3.11, JDK 17, Maven, Node and npm. Everything that isn't the
# corpus itself (venv, node_modules, jars, the private keys of the throw-away PKI) goes into WORK. Not run in CI: times,
# ids and keys differ in each run, so every run changes most files.
set -eu
mkdir -p "$1/files" "$1/refused" "$2"
corpus=$(cd "$1" && pwd) work=$(cd "$2" && pwd)
here=$(cd "$(dirname "$0")" && pwd)

python3 -m venv "$work/venv"
PYTHON=$work/venv/bin/python
"$PYTHON" -m pip install --quiet --requirement "$here/requirements.txt"
ICC_PROFILE=$(find "$work/venv" -path '*/weasyprint/pdf/sRGB2014.icc')
export PYTHON ICC_PROFILE
(cd "$work" && npm install --no-audit --no-fund --ignore-scripts pdf-lib@1.17.1 @pdf-lib/fontkit@1.1.1 pdfkit@0.20.2 jspdf@4.2.1 @libpdf/core@0.4.2)
mvn -q -B -f "$here/java/pom.xml" dependency:copy-dependencies "-DoutputDirectory=$work/jars"
javac -cp "$work/jars/*" -d "$work/classes" "$here"/java/*.java

"$PYTHON" "$here/handwritten.py" "$corpus/files" "$corpus/refused"
"$PYTHON" -W ignore "$here/libraries.py" "$corpus/files"
NODE_PATH=$work/node_modules node "$here/libraries.cjs" "$corpus/files"
"$PYTHON" "$here/pki.py" "$work/pki"
java -cp "$work/jars/*:$work/classes" JavaLibraries "$corpus/files" "$work/pki/signer-rsa.p12" corpus "$here/java/fop.xconf"
sh "$here/tools.sh" "$corpus/files" "$corpus/refused" "$work/tools"
"$PYTHON" "$here/signed.py" "$corpus/files" "$corpus/refused" "$work/pki" "$work/tools"
(cd "$corpus/files" && java -cp "$work/jars/*:$work/classes" CheckArchive */*.pdf > "$work/verapdf.tsv")
"$PYTHON" "$here/index.py" "$corpus" "$work/verapdf.tsv"
