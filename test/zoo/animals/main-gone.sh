# Ends well and leaves a child in a session of its own.
(setsid sh -c 'echo ready > ready; exec sleep 1000' &)
while [ ! -e ready ]; do sleep 0.01; done
exit 0
