# Puts a child into the background as daemons do, in a session of its own, and stays.
(setsid sh -c 'echo ready > ready; exec sleep 1000' &)
exec sleep 1000
