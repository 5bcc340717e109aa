# Is stopped by SIGSTOP when it is asked to end, and would answer with a code of its own.
trap 'kill $sleeper; exit 5' TERM
sleep 1000 & sleeper=$!
echo ready > ready
kill -STOP $$
while :; do wait; done
