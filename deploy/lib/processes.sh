# Sourced by deploy/run and deploy/lib/contract: starts simulators and the daemon, ends them by their ids.
# shellcheck shell=bash

pids=()

# start LOG COMMAND…: in the background; its id is remembered. Descriptor 9 is the lock of deploy/run: not for children.
start() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 9>&- &
  pids+=($!)
}

# stop_all: asks each of our own processes to end, waits, then insists.
stop_all() {
  local pid
  # Each `|| true` matters: one process that is gone already must not end the loop (set -e) and spare the others.
  for pid in "${pids[@]:-}"; do { [ -n "$pid" ] && kill -TERM "$pid" 2>/dev/null; } || true; done
  for _ in $(seq 1 300); do
    local alive=0
    for pid in "${pids[@]:-}"; do { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null && alive=1; } || true; done
    [ $alive -eq 0 ] && break
    sleep 0.1
  done
  for pid in "${pids[@]:-}"; do { [ -n "$pid" ] && kill -KILL "$pid" 2>/dev/null; } || true; done
  pids=()
  return 0
}

# free_port FIRST: the first port from there on that nobody listens on.
free_port() {
  local port=$1
  while (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do port=$((port + 1)); done
  echo "$port"
}

# wait_for URL NAME LOG: until it answers 2xx, at most 60 s.
wait_for() {
  local _
  for _ in $(seq 1 600); do
    curl -fs -o /dev/null -m 2 "$1" 2>/dev/null && return 0
    sleep 0.1
  done
  echo "$2 does not answer; its last lines:" >&2
  tail -n 20 "$3" >&2
  return 1
}

# secret FILE: makes a random secret once, readable by its owner only.
secret() {
  [ -s "$1" ] || (umask 077; head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$1")
}

# configuration FILE ROUTING DAEMON_PORT A_PORT B_PORT: the example, with these ports and folders.
configuration() {
  sed -e "s#127.0.0.1:8080#127.0.0.1:$3#g" -e "s#127.0.0.1:9101#127.0.0.1:$4#" -e "s#127.0.0.1:9102#127.0.0.1:$5#" \
    -e "s#\.\./\.run/#./#" -e "s#\.\./routing#$2#" "$top/deploy/switchyard.yaml" >"$1"
}
