# An orphan in the session of the main process that knows nothing of its environment any more.
(env -i PATH="$PATH" sh -c 'echo ready > ready; exec sleep 1000' &)
exec sleep 1000
