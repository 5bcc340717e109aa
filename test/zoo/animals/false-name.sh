# Has a name that looks like the state of a dead process to a careless reader of /proc/<pid>/stat.
cp "$(command -v sleep)" 'x) Z 1 1 ('
echo ready > ready
exec './x) Z 1 1 (' 1000
