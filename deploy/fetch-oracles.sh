#!/bin/sh
# Fetches the Java programs that check us from outside, by Maven, into oracles/ (not kept in git). Repeatable; what is
# there is not fetched again.
#   Mustang-CLI.jar  validates Factur-X and carries veraPDF, which validates PDF/A
#   phax/            the EN 16931 converters cii2ubl and ubl2cii, with what they need
set -eu
cd "$(dirname "$0")/.."
jar=oracles/Mustang-CLI.jar
artifact=org.mustangproject:Mustang-CLI:2.26.0
converters=oracles/phax

if [ -s "$jar" ] && [ -e "$converters/.whole" ]; then
    echo "oracles: $jar and $converters are there"
    exit 0
fi
for tool in java mvn; do
    command -v "$tool" >/dev/null || { echo "oracles: $tool is not installed; tests marked 'java' are skipped" >&2; exit 1; }
done
mkdir -p oracles
if [ ! -s "$jar" ]; then
    mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$artifact" -DoutputDirectory=oracles -Dmdep.stripVersion=true
    test -s "$jar"
    echo "oracles: $artifact fetched"
fi
if [ ! -e "$converters/.whole" ]; then
    mvn -B -q -Dstyle.color=never -f deploy/foreign-converters.xml dependency:copy-dependencies -DincludeScope=runtime \
        -DoutputDirectory="$PWD/$converters"
    ls "$converters"/en16931-cii2ubl-*.jar "$converters"/en16931-ubl2cii-*.jar >/dev/null
    touch "$converters/.whole"
    echo "oracles: $converters fetched"
fi
