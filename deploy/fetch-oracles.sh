#!/bin/sh
# Fetches the Java programs that check our PDFs from outside, by Maven, into oracles/ (not kept in git).
# One jar: Mustang validates Factur-X and carries veraPDF, which validates PDF/A. Repeatable; does nothing when it is there.
set -eu
cd "$(dirname "$0")/.."
jar=oracles/Mustang-CLI.jar
artifact=org.mustangproject:Mustang-CLI:2.26.0

if [ -s "$jar" ]; then
    echo "oracles: $jar is there"
    exit 0
fi
for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "oracles: $tool is not installed; tests marked 'java' are skipped" >&2; exit 1; }
done
mkdir -p oracles
mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory=oracles -Dmdep.stripVersion=true
test -s "$jar"
echo "oracles: $artifact fetched"
