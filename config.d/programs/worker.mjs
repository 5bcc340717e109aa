// Pretends to work: one line for each piece.
const pause = Number(process.env.WORK_SECONDS) * 1000;
const name = process.argv[2] ?? '--worker=?';
let pieces = 0;

setInterval(() => {
  pieces += 1;
  console.log(`${name} has finished piece ${pieces}`);
}, pause);
