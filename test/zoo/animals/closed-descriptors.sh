# Closes every descriptor that it inherited.
exec 0<&- 1>&- 2>&- 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
sh -c 'echo ready > ready'
exec sleep 1000
