# A child without its parent, in the session of the main process.
(sh -c 'echo ready > ready; exec sleep 1000' &)
exec sleep 1000
