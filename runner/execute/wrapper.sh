# Carries a command out so that others can find out how it went (detached.rs).
# $1: the directory of this attempt. Making it is the start, and nobody can make it twice.
d=$1
shift
mkdir -m 700 "$d" 2>/dev/null || { [ -d "$d" ] && exit 97; exit 98; }
echo $$ >"$d/pid"
"$@" </dev/null >>"$d/stdout" 2>>"$d/stderr"
echo $? >"$d/exit.new" && mv "$d/exit.new" "$d/exit"
