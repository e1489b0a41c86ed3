#!/bin/sh
# Fetches the Java programs that check us from outside, by Maven, into oracles/ (not kept in git). Repeatable; what is
# there is not fetched again.
#   Mustang-CLI.jar  validates Factur-X and carries veraPDF, which validates PDF/A
#   phax/            the EN 16931 converters cii2ubl and ubl2cii, with what they need
#   cen/             CEN's own rules for CII (EUPL-1.2), for `passerelle rules add oracles/cen/EN16931-CII-validation.xslt`
#   seda/            the schema of SEDA 2.2 (it travels in a Python package), for the manifest of dossiers
set -eu
cd "$(dirname "$0")/.."
jar=oracles/Mustang-CLI.jar
artifact=org.mustangproject:Mustang-CLI:2.26.0
converters=oracles/phax
rules=com.helger.phive.rules:phive-rules-en16931:4.3.7
sheet=oracles/cen/EN16931-CII-validation.xslt
seda=oracles/seda/seda-2.2-main.xsd

if [ ! -s "$seda" ] && ! python3 -m pip --version >/dev/null 2>&1; then
    echo "oracles: pip is not installed; the test of the SEDA manifest is skipped" >&2
elif [ ! -s "$seda" ]; then
    rm -rf oracles/seda oracles/seda.part
    mkdir -p oracles/seda.part
    python3 -m pip download -q --no-deps --only-binary :all: -d oracles/seda.part cubicweb-seda==2.4.1
    echo "0ec9737b54d97f5d5c56d948f7c1ecccd63ffc093149a14dbbae72042f741bae  $(echo oracles/seda.part/*.whl)" \
        | sha256sum -c --quiet
    python3 - oracles/seda.part <<'END'
import pathlib, sys, zipfile
folder = pathlib.Path(sys.argv[1])
wheel = next(folder.glob("*.whl"))
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        if "/xsd/" in name and ("seda-2.2" in name or name.endswith(("xlink.xsd", "xml.xsd"))):
            (folder / name.rsplit("/", 1)[1]).write_bytes(archive.read(name))
wheel.unlink()
END
    mv oracles/seda.part oracles/seda
    echo "oracles: $seda fetched"
fi
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
