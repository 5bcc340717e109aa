# Forks as often as it may; what bounds it is the number of processes of its user (RLIMIT_NPROC) or pids.max.
# Whoever lives of it holds the pipe `leash` open, where there is one. The file `enough`, or the end of the directory,
# ends it all the same.
trap '' TERM
if [ "$1" = burst ]; then
  while [ -e ready ] && [ ! -e enough ]; do
    echo >> hops
    sh "$0" burst 2> /dev/null &
    sleep 0.05
  done
  exit 0
fi
[ -p leash ] && exec 9> leash
echo ready > ready
sh "$0" burst 2> /dev/null &
exec sleep 1000
