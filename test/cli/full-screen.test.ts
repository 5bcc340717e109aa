import { describe, expect, test } from 'vitest';
import { keepOnScreen, type Picture } from '../../src/cli/full-screen.ts';
import { fakeTerminal } from './fake-terminal.ts';

const LEAVE = '\u001b[?25h\u001b[?7h\u001b[?1049l';

function picture(more: Partial<Picture> = {}): Picture {
  return { look: async () => {}, lines: () => ['here'], pressed: () => 'nothing', ...more };
}

function terminalOf() {
  return fakeTerminal({ screen: { columns: 20, rows: 3 } });
}

describe('the screen is given back, and the mistake is thrown on', () => {
  const boom = new Error('boom');
  const fail = (): never => {
    throw boom;
  };

  test('when looking fails', async () => {
    const terminal = terminalOf();
    await expect(keepOnScreen({ terminal }, picture({ look: fail }))).rejects.toBe(boom);
    expect(terminal.out().endsWith(LEAVE)).toBe(true);
  });

  test('when drawing fails', async () => {
    const terminal = terminalOf();
    await expect(keepOnScreen({ terminal }, picture({ lines: fail }))).rejects.toBe(boom);
    expect(terminal.out().endsWith(LEAVE)).toBe(true);
  });

  test.each<[string, (terminal: ReturnType<typeof terminalOf>) => void]>([
    ['a key', (terminal) => terminal.press('x')],
    ['a new size', (terminal) => terminal.resize({ columns: 5, rows: 5 })],
  ])('when %s makes it fail between two looks', async (_title, act) => {
    const terminal = terminalOf();
    let looks = 0;
    const look = async (): Promise<void> => {
      looks++;
      if (looks === 2) act(terminal);
    };
    const lines = (): readonly string[] => (looks < 2 ? ['here'] : fail());
    await expect(keepOnScreen({ terminal }, picture({ look, lines, pressed: fail }))).rejects.toBe(boom);
    expect(terminal.out().endsWith(LEAVE)).toBe(true);
  });
});

test('keys and sizes mean nothing any more afterwards', async () => {
  const terminal = terminalOf();
  let looks = 0;
  const look = async (): Promise<void> => {
    looks++;
    terminal.press('q');
  };
  expect(await keepOnScreen({ terminal }, picture({ look, pressed: () => 'end' }))).toBe('fine');
  const before = terminal.out();
  terminal.press('x');
  terminal.resize({ columns: 9, rows: 9 });
  terminal.interrupt();
  expect(terminal.out()).toBe(before);
  expect(looks).toBe(1);
});

test('what does not fit is told in the last line', async () => {
  const terminal = terminalOf();
  const lines = () => ['1', '2', '3', '4', '5'];
  const look = async (): Promise<void> => {
    if (terminal.out().includes('more lines')) terminal.press('\u0003');
  };
  expect(await keepOnScreen({ terminal }, picture({ lines, look }))).toBe('interrupted');
  expect(terminal.out()).toContain('\u001b[H\u001b[K1\r\n\u001b[K2\r\n\u001b[K… 3 more lines\u001b[J');
});
