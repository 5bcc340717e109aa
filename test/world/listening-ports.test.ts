import { describe, expect, it } from 'vitest';
import { parseListeners } from '../../src/world/listening-ports.ts';

/** Lines in the shape of proc_net(5); 1F90 is port 8080, 0A is listening, 01 an established connection. */
const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   33        0 111 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D431 01 00000000:00000000 00:00000000 00000000   33        0 222 1 0 20 4 30 10 -1
   2: 0100007F:D431 0100007F:1F90 01 00000000:00000000 00:00000000 00000000   33        0 333 1 0 20 4 30 10 -1
   3: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000    0        0 444 1 0 100 0 0 10 0
`;
const TABLE6 = `   0: 00000000000000000000000000000000:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 1000 0 555 1
`;

describe('the listeners of a port', () => {
  it('are those in state LISTEN with that very port on our side', () => {
    expect(parseListeners(TABLE, 8080)).toEqual([{ inode: '111', uid: 33 }]);
    expect(parseListeners(TABLE, 80)).toEqual([{ inode: '444', uid: 0 }]);
    expect(parseListeners(TABLE, 5)).toEqual([]);
    expect(parseListeners(TABLE6, 8080)).toEqual([{ inode: '555', uid: 1000 }]);
    expect(parseListeners('', 80)).toEqual([]);
  });
});
