#!/usr/bin/env bash
# Installs the outside judges that the tests use (test/judges/README.md). Idempotent, and quick when all is there.
# On Debian 12 as root it installs the system's packages too; as another user it says which are missing.
set -euo pipefail
cd "$(dirname "$0")/../test/judges"

packages=()
need() { command -v "$1" >/dev/null 2>&1 || packages+=("$2"); }
need javac openjdk-17-jdk-headless
need mvn maven
need openssl openssl
need curl curl
need qpdf qpdf
need pdfsig poppler-utils
need mutool mupdf-tools
need gs ghostscript
need certutil libnss3-tools
# fonts that visible seals are tested with
need_file() { [ -f "$1" ] || packages+=("$2"); }
need_file /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf fonts-dejavu-core
need_file /usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf fonts-droid-fallback
python=/usr/bin/python3
[ -x "$python" ] && "$python" -c 'import ensurepip, venv' >/dev/null 2>&1 || packages+=(python3 python3-venv)
if ((${#packages[@]} > 0)); then
  if [ "$(id -u)" != 0 ]; then
    echo "Missing from this machine: ${packages[*]}. Install them, or run this script as root." >&2
    exit 1
  fi
  echo "installing ${packages[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null 2>&1 ||
    { apt-get update -qq && apt-get install -y --no-install-recommends "${packages[@]}" >/dev/null; }
fi

# A stamp is the sum of what a judge is made of; it is written last, so a build cut short is begun again.
fresh() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

sum=$( { "$python" --version; cat pyhanko/requirements.txt; } | sha256sum)
if ! fresh .venv/installed "$sum"; then
  echo "installing pyHanko"
  rm -rf .venv
  "$python" -m venv .venv
  .venv/bin/pip install --quiet --disable-pip-version-check -r pyhanko/requirements.txt
  echo "$sum" >.venv/installed
fi

# Classes that a run loads are kept beside the jar: a JVM then starts in half the time.
archive_classes() {
  local name=$1 samples=$2
  .venv/bin/python pyhanko/warm_up.py "$samples" |
    java -XX:ArchiveClassesAtExit="$name/target/judge.jsa" -XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx1g \
      -Djava.awt.headless=true -Xlog:disable -cp "$PWD/$name/target/judge.jar:$PWD/$name/target/lib/*" \
      sigillum.judge.Main >/dev/null 2>&1 || rm -f "$name/target/judge.jsa"
}

samples=
trap '[ -z "$samples" ] || rm -rf "$samples"' EXIT
for name in dss verapdf; do
  sum=$( { java -version 2>&1; pwd; cat "$name/pom.xml"; find "$name/src" -type f | sort | xargs cat; } | sha256sum)
  fresh "$name/target/installed" "$sum" && continue
  echo "building $name"
  rm -rf "$name/target"
  (cd "$name" && mvn -q -B -ntp package >target.log 2>&1) || { cat "$name/target.log" >&2; exit 1; }
  rm -f "$name/target.log"
  if [ -z "$samples" ]; then
    samples=$(mktemp -d)
    .venv/bin/python pyhanko/make_samples.py "$samples"
  fi
  archive_classes "$name" "$samples"
  echo "$sum" >"$name/target/installed"
done
echo "judges: installed"
