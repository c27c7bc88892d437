# Markers: who began what, kept on the host itself (host_program.rs). Part of all that is sent there.
# A marker is a directory named after an attempt; making it is the start, and nobody can make it
# twice. It lies in the first place that takes it; ams_any asks one place after the other.

ams_nap() { sleep 0.1 2>/dev/null || sleep 1; }

# ams_me: this process, so that nobody takes another one for it, and since when the host is up.
ams_self() {
  ams_x= ams_boot=-
  { read -r ams_x </proc/self/stat; read -r ams_boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
  if [ -z "$ams_x" ]; then ams_me="$(exec sh -c 'echo $PPID') - $ams_boot"; return; fi
  ams_me=${ams_x%% *}
  set -- ${ams_x##*) }
  ams_me="$ams_me ${20} $ams_boot"
}

# Does process $1 live, and did it start at $2?
ams_lives() {
  [ "$2" != - ] || { kill -0 "$1" 2>/dev/null; return; }
  ams_x=
  { read -r ams_x <"/proc/$1/stat"; } 2>/dev/null
  [ -n "$ams_x" ] || return 1
  set -- "$2" ${ams_x##*) }
  case $2 in Z | X) return 1 ;; esac
  [ "$1" = "${21}" ]
}

# ams_s: what the marker $1 tells.
ams_state() {
  ams_s=
  { read -r ams_s <"$1/exit"; } 2>/dev/null
  [ -z "$ams_s" ] || return 0
  if [ -e "$1/fenced" ]; then ams_s=FENCED; return; fi
  ams_s=STARTING ams_i= ams_t= ams_b=
  { read -r ams_i ams_t ams_b <"$1/pid"; } 2>/dev/null
  [ -n "$ams_b" ] || return 0
  ams_s=RUNNING
  ams_self
  if [ "$ams_b" = "$ams_boot" ] && ams_lives "$ams_i" "$ams_t"; then return; fi
  # It may have ended since we looked for its record.
  ams_x=
  { read -r ams_x <"$1/exit"; } 2>/dev/null
  if [ -n "$ams_x" ]; then ams_s=$ams_x; elif [ "$ams_b" = "$ams_boot" ]; then ams_s=LOST; else ams_s=REBOOTED; fi
}

ams_has() { [ -d "$1/$ams_name" ]; }
ams_place() { [ -d "$1" ] || (umask 077 && mkdir -p "$1") 2>/dev/null; }
