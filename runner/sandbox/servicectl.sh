#!/bin/sh
# The sandbox's service manager: servicectl start|stop|restart|status NAME
# Each service is a folder beside this script: services/NAME with its port in `port`.
set -u
here=$(dirname "$0")
folder=$here/services/$2
pid=$(cat "$folder/pid" 2>/dev/null || echo 0)

running() { [ "$pid" != 0 ] && kill -0 "$pid" 2>/dev/null; }

stop() {
    running && kill "$pid"
    rm -f "$folder/pid"
}

start() {
    echo "$(date '+%H:%M:%S') starting $(basename "$folder")" >>"$folder/service.log"
    # In a session of its own, so that it outlives the command that started it.
    setsid "$here/ams" demo-service --listen "127.0.0.1:$(cat "$folder/port")" \
        --folder "$folder" >>"$folder/service.log" 2>&1 </dev/null &
}

case $1 in
    start) start ;;
    stop) stop ;;
    restart)
        echo restart >>"$folder/restarts"
        stop
        start
        ;;
    status)
        if running; then
            echo "$(basename "$folder"): running, pid $pid"
        else
            echo "$(basename "$folder"): not running"
        fi
        ;;
esac
