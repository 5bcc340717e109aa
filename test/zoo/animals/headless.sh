# Ends its first thread and goes on in another: the process looks like a zombie. The program is made by headless.ts.
echo ready > ready
exec ./headless
