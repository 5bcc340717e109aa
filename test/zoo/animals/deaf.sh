# Ignores whatever asks it to end, with a child that does the same.
trap '' TERM INT HUP QUIT
sleep 1000 &
echo ready > ready
while :; do sleep 1000; done
