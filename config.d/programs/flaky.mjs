// Works for a moment, then fails: with an exit code at some times, by a signal at others.
console.log('started');
setTimeout(() => {
  console.error('something went wrong');
  if (process.pid % 2 === 0) process.kill(process.pid, 'SIGABRT');
  process.exitCode = 3;
}, 2000);
