# Guards the folder $1 of a cluster, whose servers run as user $2 of group $3 (empty: as this user). Its standard input is a pipe that only the owner
# of the cluster holds: the end of the file means that the owner is gone or done, and then neither a process nor a file of the cluster may be left,
# unless the owner has said "keep".
trap '' HUP INT TERM
exec >/dev/null 2>&1
cd /
root=$1 user=$2 group=$3
[ "$(cat)" != keep ] || exit 0

# Every process of a cluster works inside its folder, and in no folder whose name only begins like it. SIGKILL ends suspended ones too.
members() {
  local process folder
  while IFS=$'\t' read -r -d '' process folder; do
    case $folder in
      "$root" | "$root"/* | "$root (deleted)") echo "${process#/proc/}" ;;
    esac
  done < <(find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -printf '%h\t%l\0')
}
for ((round = 0; round < 200; round++)); do
  pids=$(members)
  [ -n "$pids" ] || break
  kill -KILL $pids
  sleep 0.02
done

# A killed server leaves the System V segment that marks its data directory as in use: line 7 of its lock file is "key id". What the file holds is the
# servers' word, so it is read, and the segment removed, with no more rights than theirs.
remove_segment='[ ! -f "$1" ] || ipcrm -m "$(sed -n "7s/.* //p" "$1")"'
lend=()
[ -z "$user" ] || lend=(setpriv "--reuid=$user" "--regid=$group" --clear-groups --)
for lock in "$root"/*/postmaster.pid; do
  "${lend[@]}" sh -c "$remove_segment" sh "$lock"
done
# Follows no link.
rm -rf -- "$root"
