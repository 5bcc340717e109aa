# Does nothing: what holds for all the others is easy to see on it.
echo ready > ready
exec sleep 1000
