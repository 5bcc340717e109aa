# Answers each request to end with two more children, which ignore the next one.
trap 'for each in 1 2; do setsid sh -c "trap \"\" TERM; sleep 1000; sleep 1000" & done' TERM
echo ready > ready
while :; do sleep 1000 & wait; done
