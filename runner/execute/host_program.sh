# Carries a command out on another machine (host_program.rs, which says what its parts are for).

# Keeps value $1, written as base64. A value that cannot be read must not become an empty one; the
# point at the end keeps line breaks that the shell would cut.
ams_v() {
  ams_x=$(printf %s "$2" | "$ams_base64" -d && printf .) && export "$1=${ams_x%.}" || exit 126
}

ams_tools() {
  ams_base64=$(command -v base64) && [ "$(printf QU1T | "$ams_base64" -d 2>/dev/null)" = AMS ] || exit 95
  ams_setsid=$(command -v setsid)
}

ams_make() {
  ams_place "$1"
  mkdir -m 700 "$1/$ams_name" 2>/dev/null || { [ -d "$1/$ams_name" ] && exit 97; return 1; }
  ams_d=$1/$ams_name
  { echo "$ams_me" >"$ams_d/pid"; } 2>/dev/null && [ -s "$ams_d/pid" ] && return 0
  # A marker that says nothing is none: the next place may have room.
  rm -rf "$ams_d"
  return 1
}

ams_other() { [ -d "$1/$ams_name" ] && ! [ "$1/$ams_name" -ef "$ams_d" ]; }

# Begins the change $1, not after $2. Whoever comes second, or late, changes nothing.
ams_begin() {
  ams_name=$1
  [ "$(date +%s)" -le "$2" ] 2>/dev/null || exit 96
  ams_self
  ams_any ams_has && exit 97
  ams_any ams_make || exit 98
  # Which place takes a marker may have changed since another one was made: two that were made at
  # once see each other here.
  if ams_any ams_other; then true >"$ams_d/fenced"; exit 97; fi
}

ams_record() {
  { echo "$1" >"$ams_d/exit.new" && mv -f "$ams_d/exit.new" "$ams_d/exit"; } 2>/dev/null
}

# Markers of runs that are long over.
ams_old() {
  find "$1" -maxdepth 1 -type d -name 'ams-*-*' -mtime +7 -exec rm -rf {} + >/dev/null 2>&1
  return 1
}

# As a child of an agent, which bounds it. The agent has a meaning of its own for two exit codes
# (killed, reboot): they are told in words.
ams_attached() {
  ams_tools
  [ -z "$1" ] || ams_begin "$1" "$2"
  echo "AMS-BEGIN $3"
  (ams_values && ams_command) </dev/null
  ams_c=$?
  if [ -n "$1" ]; then ams_record "EXIT $ams_c"; ams_any ams_old; fi
  case $ams_c in 137 | 194) echo "AMS-EXIT $3 $ams_c" >&2; exit 1 ;; esac
  exit $ams_c
}

# Stops group $1: asks, waits two seconds, kills.
ams_stop() {
  kill -TERM "-$1" 2>/dev/null || kill -TERM "$1"
  ams_n=0
  while [ "$ams_n" -lt 20 ] && { kill -0 "-$1" || kill -0 "$1"; } 2>/dev/null; do
    ams_n=$((ams_n + 1))
    ams_nap
  done
  kill -KILL "-$1" 2>/dev/null || kill -KILL "$1"
}

# Stops the command when "$@" has ended by itself. Told to end, leaves it alone.
ams_watch() {
  ams_k=
  trap '[ -z "$ams_k" ] || kill "$ams_k"; exit 1' TERM
  "$@" <&3 &
  ams_k=$!
  wait "$ams_k"
  trap '' TERM
  ams_stop "$ams_p"
  exit 0
}

# Runs the command in a group of its own, at most $1 seconds, and with `tied` no longer than fd 3
# stays open. ams_s: how it ended.
ams_bounded() {
  (ams_values && ams_command $ams_setsid) </dev/null 3<&- &
  ams_p=$!
  (ams_watch sleep "$1") </dev/null >/dev/null 2>&1 &
  ams_w=$!
  ams_u=
  if [ "$2" = tied ]; then
    (ams_watch cat) </dev/null >/dev/null 2>&1 &
    ams_u=$!
  fi
  wait "$ams_p" 2>/dev/null
  ams_s="EXIT $?"
  kill "$ams_w" $ams_u 2>/dev/null
  wait "$ams_w" 2>/dev/null && ams_s=TIMEOUT
  [ -z "$ams_u" ] || wait "$ams_u" 2>/dev/null
}

# A look: its output goes where ours goes, and it ends with the connection.
ams_tied() {
  ams_tools
  exec 3<&0
  echo "AMS-BEGIN $1"
  ams_bounded "$2" tied
  printf '\nAMS-END %s %s\n' "$1" "$ams_s"
  exit 0
}

# Keeps stream $1 up to 64 MiB. What is more is read and dropped, so that nobody waits for us.
ams_keep() {
  mkfifo -m 600 "$ams_d/$1.in" 2>/dev/null || return
  {
    (ulimit -f 131072; exec cat)
    cat >/dev/null
    rm -f "$ams_d/$1.in"
  } <"$ams_d/$1.in" >"$ams_d/$1" 2>/dev/null 3<&- &
}

ams_into() { if [ -p "$ams_d/$1.in" ]; then echo "$ams_d/$1.in"; else echo /dev/null; fi; }

# A change, on its own: it goes on when the connection is lost.
ams_carry() {
  exec 3</dev/null
  ams_self
  { echo "$ams_me" >"$ams_d/pid.new" && mv -f "$ams_d/pid.new" "$ams_d/pid"; } 2>/dev/null
  ams_keep stdout
  ams_keep stderr
  ams_bounded "$1" alone >"$(ams_into stdout)" 2>"$(ams_into stderr)"
  # What it left running may hold its output open.
  ams_n=0
  while [ "$ams_n" -lt 5 ] && { [ -p "$ams_d/stdout.in" ] || [ -p "$ams_d/stderr.in" ]; }; do
    ams_n=$((ams_n + 1))
    ams_nap
  done
  ams_record "$ams_s"
  ams_any ams_old
}

ams_detached() {
  ams_tools
  ams_begin "$1" "$2"
  (ams_carry "$4") </dev/null >/dev/null 2>&1 &
  echo "AMS-BEGIN $3"
  ams_follow "$3" 0 0
}
