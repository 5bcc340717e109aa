# The same with a new session each time: no process group can be named that holds it.
if [ "$1" = hop ]; then
  [ -e ready ] && [ ! -e enough ] || exit 0
  echo >> hops
  setsid sh "$0" hop &
  exit 0
fi
trap '' TERM
[ -p leash ] && exec 9> leash
echo ready > ready
setsid sh "$0" hop &
exec sleep 1000
