# Ends with code 3 when it is let go.
echo ready > ready
while [ ! -e go ]; do sleep 0.02; done
exit 3
