import { expect, it } from 'vitest';
import { BlindSpots } from '../../src/daemon/blind-spots.ts';
import type { Observed } from '../../src/model/observed.ts';
import { name, problem } from '../builders.ts';

it('that nothing can be seen is told once, and anew when it happens again', () => {
  const told: string[] = [];
  const spots = new BlindSpots();
  const unseen: Observed = { kind: 'unseen', problem: problem({ message: 'no descriptor is left' }) };
  const look = (service: string, observed: Observed) =>
    spots.note(name(service), observed, ({ message }) => told.push(message));
  const sentence = 'what runs cannot be seen, so nothing is started or stopped: no descriptor is left';
  look('web', unseen);
  look('mail', unseen);
  look('web', unseen);
  expect(told).toEqual([sentence]);
  look('web', { kind: 'seen', runs: [] });
  look('mail', { kind: 'seen', runs: [] });
  look('mail', unseen);
  expect(told).toEqual([sentence, sentence]);
});
