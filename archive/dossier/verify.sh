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
tenant=$(sed -n 's/.*"tenant":"\([^"]*\)".*/\1/p' dossier.json 2>/dev/null)
who="dossier ${PWD##*/}, facture ${invoice:-?}${tenant:+ ($tenant)}"
die() { echo "ÉCHEC / NOT VERIFIED: $who, fichier $1: $2" >&2; exit 1; }
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
  [ -f "$f" ] || continue  # every document was destroyed lawfully
  this="\"sha256\":\"$(sha "$f")\",\"size\":$(($(wc -c < "$f")))}"
  role=$(sed -n "s/.*{\"name\":\"${f#objects/}\",\"role\":\"\([^\"]*\)\",$this.*/\1/p" dossier.json)
  [ -n "$role" ] || die "$f" "ne correspond pas à dossier.json / differs from dossier.json"
  case "$journaled" in *"{\"role\":\"$role\",$this"*) ;; *) die "$f" "absent du journal / not journaled" ;; esac
done

# 3. Every entry is in a log whose checkpoint is signed and timestamped (RFC 9162 section 2.1.3.2).
octal() { # 64 hexadecimal digits as 32 escapes for printf, in $escaped
  escaped=; hex=$1
  while [ -n "$hex" ]; do
    rest=${hex#??}; byte=$((0x${hex%"$rest"})); hex=$rest
    escaped="$escaped\\$((byte >> 6))$((byte >> 3 & 7))$((byte & 7))"
  done
}
seal() { # checkpoint: is it signed and timestamped? sets origin, size, root, at
  origin=$(sed -n 1p "$1"); size=$(sed -n 2p "$1"); root=$(sed -n 3p "$1")
  case "$size" in ''|*[!0-9]*) die "$1" "format" ;; esac
  case "$origin/" in *"/$tenant/"*) ;; *) [ -z "$tenant" ] || die "$1" "autre compte / another tenant" ;; esac
  sed '/^$/,$d' "$1" > "$T/text"
  line=$(sed -n 's/^— [^ ]* //p' "$1" | head -n 1)
  printf '%s\n' "$line" | openssl base64 -d -A > "$T/line"
  [ "$(openssl base64 -A -in "$T/line")" = "$line" ] || die "$1" "base64"
  tail -c 64 "$T/line" > "$T/signature"
  for k in log-pub.pem former/*.pem; do
    openssl pkeyutl -verify -pubin -inkey "$k" -rawin -in "$T/text" -sigfile "$T/signature" >/dev/null 2>&1 \
      && k= && break
  done
  [ -z "$k" ] || die "$1" "signature"
  at=$(openssl ts -reply -in "$1.tsr" -text 2>/dev/null | sed -n 's/^Time stamp: //p')
  set -- "$1" -attime "$(date -d "$at" +%s 2>/dev/null)"  # certificates as they were then
  [ -n "$3" ] || set -- "$1"
  c=$1; shift
  openssl ts -verify -data "$c" -in "$c.tsr" -CAfile tsa-ca.pem "$@" >/dev/null 2>&1 || die "$c.tsr" "horodatage / timestamp"
}
proved() { # entry, proof, checkpoint of $size and $root: is the entry in the log? sets n
  n=$(sed -n 's/.*,"seq":\([0-9]*\),.*/\1/p' "$1")
  [ -n "$n" ] || die "$1" "seq"
  [ "$(sed -n 1p "$2")" = "c2sp.org/tlog-proof@v1" ] && [ "$(sed -n 2p "$2")" = "index $n" ] || die "$2" "format"
  sed '1,/^$/d' "$2" > "$T/checkpoint"
  [ "$(sha "$T/checkpoint")" = "$(sha "$3")" ] || die "$2" "autre checkpoint / another checkpoint"
  sed '1,2d;/^$/,$d' "$2" > "$T/path"
  [ -z "$(sed '/^[A-Za-z0-9+\/]\{42\}[AEIMQUYcgkosw048]=$/d' "$T/path")" ] || die "$2" "base64"
  fn=$n; sn=$((size - 1)); [ "$fn" -le "$sn" ] || die "$2" "index"
  node=$({ printf '\000'; cat "$1"; } | sha256sum)
  for step in $(base64 -d "$T/path" | od -An -v -w32 -to1 | sed 's/ /\\/g'); do
    [ "$sn" -gt 0 ] || die "$2" "trop long / too long"
    octal "${node%% *}"
    if [ $((fn & 1)) -eq 1 ] || [ "$fn" -eq "$sn" ]; then
      node=$(printf "\\001$step$escaped" | sha256sum)
      while [ $((fn & 1)) -eq 0 ] && [ "$fn" -ne 0 ]; do fn=$((fn >> 1)); sn=$((sn >> 1)); done
    else
      node=$(printf "\\001$escaped$step" | sha256sum)
    fi
    fn=$((fn >> 1)); sn=$((sn >> 1))
  done
  [ "$sn" -eq 0 ] || die "$2" "trop court / too short"
  octal "${node%% *}"
  [ "$(printf "$escaped" | openssl base64 -A)" = "$root" ] || die "$1" "absente du journal / not in the log"
}
entries=0
for c in checkpoint log*/checkpoint; do
  [ -f "$c" ] || continue
  d=${c%checkpoint}
  seal "$c"
  echo "journal $origin: $size écritures / entries, horodaté / timestamped $at"
  for e in "$d"entries/*.json; do
    [ -f "$e" ] || die "$c" "sans écriture / without entry"
    proved "$e" "${e%.json}.tlog-proof" "$c"
    [ "$e" = "${d}entries/$n.json" ] || die "$e" "seq"
    subject=$(sed -n 's/.*"subject":"\([^"]*\)".*/\1/p' "$e")
    case "$(cat dossier.json)" in *"\"subjects\":["*"\"$subject\""*) ;; *) die "$e" "autre facture / another invoice" ;; esac
    entries=$((entries + 1))
  done
  [ -f "${d}next.checkpoint" ] || continue
  seal "${d}next.checkpoint"
  proved "${d}next.entry.json" "${d}next.tlog-proof" "${d}next.checkpoint"
  for f in checkpoint:checkpoint token:checkpoint.tsr crl:checkpoint.crl ocsp:checkpoint.ocsp; do
    case "$f" in crl:*|ocsp:*) [ -f "$d${f#*:}" ] || continue ;; esac
    case "$(cat "${d}next.entry.json")" in *"{\"role\":\"${f%:*}\",\"sha256\":\"$(sha "$d${f#*:}")\","*) ;;
      *) die "$d${f#*:}" "n'est pas celui du scellement suivant / not what the next seal names" ;; esac
  done
  echo "jeton couvert par / token covered by: $origin, $size écritures / entries, $at"
done
for k in log-pub.pem seal-pub.pem tsa-ca.pem former/*.pem; do [ ! -f "$k" ] || echo "$k $(sha "$k")"; done
echo "VÉRIFIÉ / VERIFIED: $who, $entries écritures / entries"
echo "Comparez ces empreintes avec celles que l'émetteur publie. / Compare these fingerprints out of band."
