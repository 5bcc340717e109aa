# Never has the same process id for long: it makes a copy of itself and ends, again and again, three times over.
# Whoever lives of it holds the pipe `leash` open, where there is one. The file `enough`, or the end of the directory,
# ends it all the same.
if [ "$1" = hop ]; then
  [ -e ready ] && [ ! -e enough ] || exit 0
  echo >> hops
  sh "$0" hop &
  exit 0
fi
trap '' TERM
[ -p leash ] && exec 9> leash
echo ready > ready
for each in 1 2 3; do sh "$0" hop & done
exec sleep 1000
