#!/bin/sh
# Vérifie l'export d'une période : sa liste (sommes, signature, scellement), puis chaque dossier, l'un après l'autre.
# Verifies the export of a period: its list (sums, signature, seal), then each dossier in turn.
#   sh verify.sh [FOLDER [SCRIPT]]      0: verified   1: not verified   2: could not run
# SCRIPT is the verify.sh of a single dossier that you trust; without it the export's own copy is used.
set -u
LC_ALL=C; export LC_ALL
script=${2:-}
case "$script" in ''|/*) ;; *) script=$PWD/$script ;; esac
cd "${1:-$(dirname "$0")}" || exit 2
script=${script:-$PWD/periode/verify.sh}
list=periode/objects/dossiers.sha256
die() { echo "ÉCHEC / NOT VERIFIED: $1: $2" >&2; exit 1; }
[ -f "$script" ] && [ -f "$list" ] || die periode "manque / missing"
sh "$script" periode || exit 1

odd=$({ sed 's/^[0-9a-f]\{64\}  //; s/\/SHA256SUMS$//' "$list"; printf '%s\n' dossiers/*; } | sort | uniq -u | head -n 1)
[ -z "$odd" ] || [ "$odd" = "dossiers/*" ] || die "$odd" "dans la liste ou ici, mais pas les deux / listed or here, not both"
for f in * .[!.]*; do
  case "$f" in periode|dossiers|verify.sh|LISEZMOI.txt|'.[!.]*') ;; *) die "$f" "inattendu / unexpected" ;; esac
done
if [ -s "$list" ]; then
  bad=$(sha256sum -c "$list" 2>/dev/null | sed -n 's/\/SHA256SUMS: FAILED.*//p' | head -n 1)
  [ -z "$bad" ] || die "$bad" "sa liste n'est pas celle de l'export / its list is not the one exported"
fi
number=0
for folder in dossiers/*; do
  [ -d "$folder" ] || continue
  sh "$script" "$folder" > /dev/null || exit 1
  number=$((number + 1))
done
echo "VÉRIFIÉ / VERIFIED: la liste et $number dossiers / the list and $number dossiers"
