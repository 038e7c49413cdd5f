#!/bin/sh
# Times the bundle's model: latency by number of threads, then throughput of several instances.
# usage: ./bench.sh [FOLDER] [octavo bench's options]     FOLDER gets the CSV files; default: here, or where that cannot be
# written the system's folder for temporary files. A recommendation model that was calibrated is scored in int8, another in f32,
# unless --arithmetic says otherwise.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
octavo=$here/bin/octavo
model=$here/saved_model.tar
[ -e "$model" ] || model=$here/saved_model # a recommendation model is a folder
out=.
if [ "$#" -gt 0 ] && [ "${1#-}" = "$1" ]; then
  out=$1
  shift
elif [ ! -w "$out" ]; then
  out=${TMPDIR:-/tmp}
fi
if grep -q '"calibration":' "$model/manifest.json" 2> /dev/null; then
  case " $* " in
    *" --arithmetic"[\ =]*) ;;
    *) set -- --arithmetic int8 "$@" ;;
  esac
fi
"$octavo" cpu
for mode in latency throughput; do
  "$octavo" bench "$model" --mode "$mode" --csv "$out/$mode.csv" "$@"
  echo "$out/$mode.csv"
done
