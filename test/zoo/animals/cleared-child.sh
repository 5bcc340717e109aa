# A child with a session of its own and without its environment, whose parent is still there.
setsid env -i PATH="$PATH" sh -c 'trap "" TERM; echo ready > ready; exec sleep 1000' &
wait
exec sleep 1000
