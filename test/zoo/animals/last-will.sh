# Ends when it is asked to, with a code of its own, and leaves a deaf child in a session of its own that it made that moment.
trap 'trap "" TERM; setsid sleep 1000 & exit 7' TERM
sleep 1000 &
echo ready > ready
while :; do wait; done
