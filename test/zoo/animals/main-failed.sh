# Fails and leaves a child in a session of its own that does not want to end.
(setsid sh -c 'trap "" TERM; echo ready > ready; sleep 1000; sleep 1000' &)
while [ ! -e ready ]; do sleep 0.01; done
exit 3
