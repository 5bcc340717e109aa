# Becomes another program three times, at last one that has lost its environment.
exec sh -c 'exec sh -c '\''exec env -i PATH="$PATH" sh -c "echo ready > ready; exec sleep 1000"'\'''
