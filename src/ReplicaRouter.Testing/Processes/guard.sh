# Guards the folder $1 of a cluster, whose servers run as user $2 and group $3 (empty: as this user). Standard input is a pipe that only the cluster's
# owner holds. End of file means that the owner is gone or done; this script then removes every process and file of the cluster, unless the owner
# sent "keep".
trap '' HUP INT TERM
exec >/dev/null 2>&1
cd /
root=$1 user=$2 group=$3
[ "$(cat)" != keep ] || exit 0

# Every process of a cluster has its working directory inside the folder; a folder whose name only starts the same does not count.
# SIGKILL ends even suspended processes.
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

# A killed server leaves a System V segment that marks its data directory as in use: line 7 of its lock file is "key id". The servers control the file's
# content, so read it and remove the segment with no more rights than theirs.
remove_segment='[ ! -f "$1" ] || ipcrm -m "$(sed -n "7s/.* //p" "$1")"'
lend=()
[ -z "$user" ] || lend=(setpriv "--reuid=$user" "--regid=$group" --clear-groups --)
for lock in "$root"/*/postmaster.pid; do
  "${lend[@]}" sh -c "$remove_segment" sh "$lock"
done
# rm follows no link.
rm -rf -- "$root"
