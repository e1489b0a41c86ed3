#!/bin/sh
# Fetches the Java programs that check us from outside, by Maven, into oracles/ (not kept in git). Repeatable; what is
# there is not fetched again.
#   Mustang-CLI.jar  validates Factur-X and carries veraPDF, which validates PDF/A
#   phax/            the EN 16931 converters cii2ubl and ubl2cii, with what they need
#   cen/             CEN's own rules for CII (EUPL-1.2), for `passerelle rules add oracles/cen/EN16931-CII-validation.xslt`
set -eu
cd "$(dirname "$0")/.."
jar=oracles/Mustang-CLI.jar
artifact=org.mustangproject:Mustang-CLI:2.26.0
converters=oracles/phax
rules=com.helger.phive.rules:phive-rules-en16931:4.3.7
sheet=oracles/cen/EN16931-CII-validation.xslt

if [ -s "$jar" ] && [ -e "$converters/.whole" ] && [ -s "$sheet" ]; then
    echo "oracles: $jar, $converters and $sheet are there"
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
if [ ! -s "$sheet" ]; then
    mvn -B -q -Dstyle.color=never dependency:copy -Dartifact="$rules" -DoutputDirectory=oracles/cen -Dmdep.stripVersion=true
    python3 - oracles/cen/phive-rules-en16931.jar external/schematron/1.3.16/cii/EN16931-CII-validation.xslt "$sheet.part" <<'END'
import sys, zipfile
jar, member, target = sys.argv[1:]
open(target, "wb").write(zipfile.ZipFile(jar).read(member))
END
    echo "0b234dea2bbfee739b7761e607a992c17fab88773014ef56355b6158cfb1cc53  $sheet.part" | sha256sum -c --quiet
    mv "$sheet.part" "$sheet"
    rm oracles/cen/phive-rules-en16931.jar
    echo "oracles: $sheet fetched"
fi
