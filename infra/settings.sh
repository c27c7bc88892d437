# shellcheck shell=bash
# What the scripts have in common: the settings of one deployment.

# usage: settings FILE
settings() {
    [ -f "$1" ] || { echo "there is no file $1: copy infra/example.env" >&2; return 2; }
    set -a
    # shellcheck disable=SC1090
    . "$1"
    set +a
    local key missing=()
    for key in NAME WITNESS_REGION {FIRST,SECOND}_{REGION,NAME,IMAGE,CERTIFICATE,SECRETS}; do
        [ -n "${!key:-}" ] || missing+=("$key")
    done
    [ ${#missing[@]} -eq 0 ] || { echo "$1 lacks ${missing[*]}" >&2; return 2; }
}

# usage: of FIRST|SECOND KEY
of() {
    local key="$1_$2"
    echo "${!key:-}"
}
