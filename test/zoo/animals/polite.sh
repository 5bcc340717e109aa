# Ends when it is asked to, with a code of its own.
trap 'exit 7' TERM
sleep 1000 &
echo ready > ready
while :; do wait; done
