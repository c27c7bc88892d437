# Tells what a change prints, and how it ends (host_probe.rs). Of changes that outlive connections.

# Prints what stream $1 has beyond $2 bytes; ams_n: the bytes it has.
ams_more() {
  ams_n=$2
  [ -f "$ams_d/$1" ] || return 0
  ams_z=$(wc -c <"$ams_d/$1") || return 0
  [ "$ams_z" -gt "$2" ] || return 0
  tail -c "+$(($2 + 1))" "$ams_d/$1" | head -c "$((ams_z - $2))" || exit 1
  ams_n=$((ams_z))
}

# Follows the marker ams_d to the end of its change. $2, $3: bytes of each stream that are known.
ams_follow() {
  ams_o=$2 ams_e=$3 ams_y=0
  while :; do
    # The state first: what was printed before an end is there when the end is.
    ams_state "$ams_d"
    ams_more stdout "$ams_o"
    ams_o=$ams_n
    ams_more stderr "$ams_e" >&2
    ams_e=$ams_n
    case $ams_s in
      RUNNING) ams_y=0 ;;
      STARTING) ams_y=$((ams_y + 1)) ;;
      *) break ;;
    esac
    [ "$ams_y" -lt 20 ] || { ams_s=LOST; break; }
    ams_nap
  done
  printf '\nAMS-END %s %s\n' "$1" "$ams_s"
  exit 0
}
