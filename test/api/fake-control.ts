/** A control interface that remembers what it was asked, and answers nothing of interest. */
import type { Control } from '../../src/api/contract.ts';

export interface Asked {
  readonly call: string;
  readonly request: unknown;
}

export interface FakeControl {
  readonly control: Control;
  readonly asked: readonly Asked[];
}

/** @param answers by the name of the call; a thrown error is a mistake of the daemon */
export function fakeControl(answers: Readonly<Record<string, () => unknown>> = {}): FakeControl {
  const asked: Asked[] = [];
  const known: Readonly<Record<string, () => unknown>> = {
    status: () => ({ services: [], problems: [], prune: null }),
    version: () => ({ version: '1.2.3', started_at: '2026-01-01T00:00:00.000Z' }),
    command: () => ({ results: [] }),
    ...answers,
  };
  const control = new Proxy(
    { feed: { flush: () => undefined }, deploys: undefined },
    {
      get: (target, call) =>
        call in target
          ? target[call as keyof typeof target]
          : (request: unknown) => {
              asked.push({ call: String(call), request });
              return known[String(call)]?.() ?? {};
            },
    },
  );
  return { control: control as unknown as Control, asked };
}
