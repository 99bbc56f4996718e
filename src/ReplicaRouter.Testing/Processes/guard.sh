# Guards the folder $1 of a cluster. Its standard input is a pipe that only the owner of the cluster holds: the end of
# the file means that the owner is gone or done, and then neither a process nor a file of the cluster may be left, unless
# the owner has said "keep".
trap '' HUP INT TERM
exec >/dev/null 2>&1
cd /
root=$1
[ "$(cat)" != keep ] || exit 0

# Every process of a cluster works inside its folder. SIGKILL ends suspended ones too.
members() { find /proc -maxdepth 2 -path '/proc/[0-9]*/cwd' -lname "$root*" -printf '%h\n' | grep -o '[0-9]*'; }
for ((round = 0; round < 200; round++)); do
  pids=$(members) || break
  kill -KILL $pids
  sleep 0.02
done

# A killed server leaves the System V segment that marks its data directory as in use: line 7 is "key id".
for lock in "$root"/*/postmaster.pid; do
  ipcrm -m "$(sed -n '7s/.* //p' "$lock")"
done
rm -rf -- "$root"
