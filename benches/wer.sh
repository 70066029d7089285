#!/usr/bin/env bash
# Word error rate over a folder of speech: imports it into a throw-away vault,
# compares what was transcribed with what was said, and fails above the limit.
#
#   benches/wer.sh [FOLDER [REFERENCES]]
#
# FOLDER      sound files (default: ../shared/speech from the project's root)
# REFERENCES  lines of `file's name without its ending<TAB>what is said`
#             (default: wer.tsv beside this script)
#
# VOXVAULT_BIN     the program (default: target/release/voxvault)
# VOXVAULT_MODELS  the model folder; the model in use is measured
# WER_LIMIT        per cent that are still well (default: 10)

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=${1:-$here/../../shared/speech}
references=${2:-$here/wer.tsv}
bin=${VOXVAULT_BIN:-$here/../target/release/voxvault}
limit=${WER_LIMIT:-10}

[ -x "$bin" ] || { echo "wer: there is no program at $bin" >&2; exit 1; }
if [ ! -d "$folder" ]; then
    echo "skipped: no shared speech"
    [ "${VOXVAULT_NO_SKIP:-0}" = 1 ] && exit 1
    exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/voxvault-wer.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
printf 'a throw-away passphrase\n' >"$work/passphrase"
vox() { "$bin" --vault "$work/vault" --passphrase-file "$work/passphrase" "$@"; }

vox init >/dev/null

# Every clip by itself: recordings are then told apart without knowing JSON.
: >"$work/said.tsv"
seconds_before=$(date +%s.%N)
while IFS=$'\t' read -r name reference <&3; do
    clip=
    for candidate in "$folder/$name".*; do
        [ -f "$candidate" ] && clip=$candidate
    done
    [ -n "$clip" ] || { echo "wer: $folder has no $name" >&2; exit 1; }
    id=$(vox import "$clip" | tail -n 1)
    heard=$(vox show "$id" --format txt | tr '\n\t' '  ')
    printf '%s\t%s\t%s\n' "$name" "$reference" "$heard" >>"$work/said.tsv"
done 3<"$references"
seconds_after=$(date +%s.%N)

awk -F '\t' -v limit="$limit" -v took="$(awk "BEGIN { print $seconds_after - $seconds_before }")" '
# Lower case, no punctuation, hyphens as spaces, the commonest short forms.
function plain(text) {
    text = tolower(text)
    gsub(/\[[^]]*\]|\([^)]*\)/, " ", text)
    gsub(/-/, " ", text)
    gsub(/[^a-z0-9'\'' ]/, "", text)
    text = " " text " "
    gsub(/ mr /, " mister ", text); gsub(/ mrs /, " missus ", text); gsub(/ dr /, " doctor ", text)
    gsub(/  +/, " ", text); sub(/^ /, "", text); sub(/ $/, "", text)
    return text
}
# Levenshtein over words.
function distance(said, heard,    s, h, n, m, i, j, row, before, diagonal, best) {
    n = split(said, s, " "); m = split(heard, h, " ")
    for (j = 0; j <= m; j++) row[j] = j
    for (i = 1; i <= n; i++) {
        diagonal = row[0]; row[0] = i
        for (j = 1; j <= m; j++) {
            before = row[j]
            best = diagonal + (s[i] != h[j])
            if (row[j] + 1 < best) best = row[j] + 1
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1
            row[j] = best; diagonal = before
        }
    }
    return row[m]
}
{
    said = plain($2); heard = plain($3)
    words = split(said, unused, " "); wrong = distance(said, heard)
    all_words += words; all_wrong += wrong
    printf "%-16s %3d words %3d wrong   %s\n", $1, words, wrong, heard
}
END {
    if (!all_words) { print "wer: nothing was compared" > "/dev/stderr"; exit 1 }
    rate = 100 * all_wrong / all_words
    printf "WER %.1f %% (%d of %d words, limit %s %%), %.1f s with import and unlocking\n", rate, all_wrong, all_words, limit, took
    exit (rate > limit)
}' "$work/said.tsv"
