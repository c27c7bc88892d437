# Finds out what became of a change, and keeps what never began from beginning (host_probe.rs).

# Makes the marker in place $1, for nobody. All places are gone through. Empty files are made where
# a disk is full.
ams_fence() {
  ams_place "$1"
  if mkdir -m 700 "$1/$ams_name" 2>/dev/null; then
    [ -z "$ams_r" ] || true >"$1/$ams_name/rebooted"
    true >"$1/$ams_name/fenced"
  fi
  return 1
}

ams_rebooted() { [ -e "$1/$ams_name/rebooted" ]; }

# A marker in memory is gone with a restart of the host: was there one in the last $1 seconds?
ams_restarted() {
  ams_x=
  { read -r ams_x </proc/uptime; } 2>/dev/null
  [ -n "$1" ] && [ -n "$ams_x" ] && [ "${ams_x%%.*}" -le "$1" ]
}

ams_begun() { ams_has "$1" && [ ! -e "$1/$ams_name/fenced" ] && ams_d=$1/$ams_name; }

# $1: its name, $2: its attempt, or nothing for the last one, $3: seconds since it was announced, or
# nothing. ams_a, ams_s, ams_d: attempt, state, marker.
ams_look() {
  ams_a=$2 ams_y=0 ams_d=
  if [ -z "$ams_a" ]; then
    ams_a=1
    while ams_name=ams-$1-$((ams_a + 1)) && ams_any ams_has && [ "$ams_a" -lt 1000 ]; do
      ams_a=$((ams_a + 1))
    done
  fi
  ams_name=ams-$1-$ams_a
  while :; do
    ams_r=
    ams_any ams_has || { ams_restarted "$3" && ams_r=yes; }
    ams_any ams_fence
    # After all fences stand: which place takes a marker may have changed while they were made.
    ams_any ams_begun || break
    ams_state "$ams_d"
    [ "$ams_s" = STARTING ] || return 0
    ams_y=$((ams_y + 1))
    [ "$ams_y" -lt 20 ] || { ams_s=LOST; return 0; }
    ams_nap
  done
  if ! ams_any ams_has; then
    ams_s=NOROOM
  elif ams_any ams_rebooted; then
    ams_s=REBOOTED
  else
    ams_s=FENCED
  fi
}

ams_probe() {
  ams_look "$1" "$2" "$3"
  echo "AMS-PROBE $1 $ams_a $ams_s"
  exit 0
}

# The same, and then all it printed beyond $4 and $5 bytes, to its end.
ams_attach() {
  ams_look "$1" "$2" "$3"
  echo "AMS-PROBE $1 $ams_a $ams_s"
  case $ams_s in FENCED | NOROOM) exit 0 ;; esac
  [ -n "$ams_d" ] || exit 0
  ams_follow "$1" "$4" "$5"
}
