# Leaves its parent and its session, and clears its environment: nothing but a cgroup holds it.
(setsid env -i PATH="$PATH" sh -c 'echo ready > ready; exec sleep 1000' &)
exec sleep 1000
