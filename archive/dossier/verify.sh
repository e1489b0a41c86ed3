#!/bin/sh
# Vérifie un dossier de preuve Passerelle décompressé, sans Passerelle ni réseau.
# Verifies an unpacked Passerelle evidence dossier, without Passerelle and without a network.
#   sh verify.sh [FOLDER]      0: verified   1: not verified   2: could not run
# Needs: sh, coreutils, sed, openssl 3. A dossier's own copy may have been changed: use a copy that you trust.
set -u
LC_ALL=C; export LC_ALL
cd "${1:-$(dirname "$0")}" || exit 2
T=$(mktemp -d) || exit 2
trap 'rm -rf "$T"' EXIT
invoice=$(sed -n 's/.*"invoice":"\([^"]*\)".*/\1/p' dossier.json 2>/dev/null)
die() { echo "ÉCHEC / NOT VERIFIED: facture ${invoice:-?}, fichier $1: $2" >&2; exit 1; }
b64() { printf '%s\n' "$1" | openssl base64 -d -A > "$2"; [ "$(openssl base64 -A -in "$2")" = "$1" ] || die "$3" "base64"; }
sha() { sha256sum < "$1" | cut -c1-64; }

# 1. Every file is listed once and as listed; the list is signed.
for f in log-pub.pem seal-pub.pem tsa-ca.pem checkpoint checkpoint.tsr dossier.json SHA256SUMS SHA256SUMS.sig; do
  [ -f "$f" ] || die "$f" "manque / missing"
done
signature=
openssl pkeyutl -verify -pubin -inkey seal-pub.pem -rawin -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1 \
  || signature=wrong
[ -z "$(sed '/^[0-9a-f]\{64\}  [A-Za-z0-9][A-Za-z0-9._\/-]*$/d' SHA256SUMS)" ] || die SHA256SUMS "format"
[ -z "$(cut -c67- SHA256SUMS | sort | uniq -d)" ] || die SHA256SUMS "doublon / doubled"
names=$(printf '\n%s\n.' "$(cut -c67- SHA256SUMS)")
for f in * .[!.]* */* */.[!.]* */*/* */*/.[!.]* */*/*/*; do
  [ ! -L "$f" ] || die "$f" "lien / link"
  [ -f "$f" ] && [ "$f" != SHA256SUMS ] && [ "$f" != SHA256SUMS.sig ] || continue
  case "$names" in *"
$f
"*) ;; *) die "$f" "absent de SHA256SUMS / not listed" ;; esac
done
sha256sum -c SHA256SUMS > "$T/sums" 2>/dev/null \
  || die "$(sed -n 's/: FAILED.*//p' "$T/sums" | head -n 1)" "ne correspond pas à SHA256SUMS / differs from SHA256SUMS"
[ -z "$signature" ] || die SHA256SUMS "signature"

# 2. Every document is announced and was journaled.
journaled=$(cat entries/*.json log*/entries/*.json 2>/dev/null)
for n in $(sed 's/{"name":"/\
/g' dossier.json | sed '1d;s/".*//'); do [ -f "objects/$n" ] || die "objects/$n" "manque / missing"; done
for f in objects/*; do
  this="\"sha256\":\"$(sha "$f")\",\"size\":$(($(wc -c < "$f")))}"
  role=$(sed -n "s/.*{\"name\":\"${f#objects/}\",\"role\":\"\([^\"]*\)\",$this.*/\1/p" dossier.json)
  [ -n "$role" ] || die "$f" "ne correspond pas à dossier.json / differs from dossier.json"
  case "$journaled" in *"{\"role\":\"$role\",$this"*) ;; *) die "$f" "absent du journal / not journaled" ;; esac
done

# 3. Every entry is in a log whose checkpoint is signed and timestamped (RFC 9162 section 2.1.3.2).
entry() { # folder, file, size of the log, root of the log
  n=${2##*/}; n=${n%.json}; p=${2%.json}.tlog-proof
  case "$(cat "$2")" in *",\"seq\":$n,"*) ;; *) die "$2" "seq" ;; esac
  subject=$(sed -n 's/.*"subject":"\([^"]*\)".*/\1/p' "$2")
  case "$(cat dossier.json)" in *"\"subjects\":["*"\"$subject\""*) ;; *) die "$2" "autre facture / another invoice" ;; esac
  [ "$(sed -n 1p "$p")" = "c2sp.org/tlog-proof@v1" ] && [ "$(sed -n 2p "$p")" = "index $n" ] || die "$p" "format"
  sed '1,/^$/d' "$p" > "$T/checkpoint"
  [ "$(sha "$T/checkpoint")" = "$(sha "$1checkpoint")" ] || die "$p" "autre checkpoint / another checkpoint"
  fn=$n; sn=$(($3 - 1)); [ "$fn" -le "$sn" ] || die "$p" "index"
  sed '1,2d;/^$/,$d' "$p" > "$T/path"
  { printf '\000'; cat "$2"; } | openssl dgst -sha256 -binary > "$T/node"
  while read -r step; do
    [ "$sn" -gt 0 ] || die "$p" "trop long / too long"
    b64 "$step" "$T/step" "$p"
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      { printf '\001'; cat "$T/step" "$T/node"; } | openssl dgst -sha256 -binary > "$T/next"
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
    else
      { printf '\001'; cat "$T/node" "$T/step"; } | openssl dgst -sha256 -binary > "$T/next"
    fi
    mv "$T/next" "$T/node"; fn=$((fn >> 1)); sn=$((sn >> 1))
  done < "$T/path"
  [ "$sn" -eq 0 ] || die "$p" "trop court / too short"
  [ "$(openssl base64 -A -in "$T/node")" = "$4" ] || die "$2" "absente du journal / not in the log"
}
entries=0
for c in checkpoint log*/checkpoint; do
  [ -f "$c" ] || continue
  d=${c%checkpoint}
  origin=$(sed -n 1p "$c"); size=$(sed -n 2p "$c"); root=$(sed -n 3p "$c")
  case "$size" in ''|*[!0-9]*) die "$c" "format" ;; esac
  sed '/^$/,$d' "$c" > "$T/text"
  b64 "$(sed -n 's/^— [^ ]* //p' "$c" | head -n 1)" "$T/line" "$c"
  tail -c 64 "$T/line" > "$T/signature"
  openssl pkeyutl -verify -pubin -inkey log-pub.pem -rawin -in "$T/text" -sigfile "$T/signature" >/dev/null 2>&1 \
    || die "$c" "signature"
  at=$(openssl ts -reply -in "$c.tsr" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
  when=$(date -d "$at" +%s 2>/dev/null) && set -- -attime "$when" || set --  # certificates as they were then
  openssl ts -verify -data "$c" -in "$c.tsr" -CAfile tsa-ca.pem "$@" >/dev/null 2>&1 || die "$c.tsr" "horodatage / timestamp"
  for e in "$d"entries/*.json; do
    [ -f "$e" ] || die "$c" "sans écriture / without entry"
    entry "$d" "$e" "$size" "$root"; entries=$((entries + 1))
  done
  echo "journal $origin: $size écritures / entries, horodaté / timestamped $at"
done
for k in log-pub.pem seal-pub.pem tsa-ca.pem; do echo "$k $(sha "$k")"; done
echo "VÉRIFIÉ / VERIFIED: facture $invoice, $entries écritures / entries"
echo "Comparez les trois empreintes avec celles que l'émetteur publie. / Compare the three fingerprints out of band."
