import { defineConfig } from 'vitest/config';

/** As long as tests wait for other conditions: the default of a second is less than a busy machine may stand still. */
const expectations = { poll: { timeout: 10_000 } };

export default defineConfig({
  test: {
    globalSetup: ['test/setup.ts'],
    projects: [
      {
        test: {
          name: 'unit',
          // For a machine that has other things to do: the slowest takes a second on an idle one.
          testTimeout: 30_000,
          expect: expectations,
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/simulation/**',
            'test/e2e/**',
            'test/linux/**',
            'test/zoo/**',
            'test/fault/**',
            'test/vm/**',
          ],
        },
      },
      { test: { name: 'simulation', include: ['test/simulation/**/*.test.ts'], testTimeout: 120_000 } },
      {
        test: {
          name: 'e2e',
          include: [
            'test/linux/**/*.test.ts',
            'test/e2e/**/*.test.ts',
            'test/zoo/**/*.test.ts',
            'test/fault/**/*.test.ts',
          ],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: expectations,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'vm',
          include: ['test/vm/**/*.test.ts'],
          // Emulated machines, which are slow where other things run beside them.
          testTimeout: 300_000,
          hookTimeout: 300_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
