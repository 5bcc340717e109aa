/** The decision while it is being made. */
import type { Action } from '../model/action.ts';
import { type Memory, NO_RUN, NO_SLOT, type RunMemory, type SlotMemory } from '../model/memory.ts';
import type { SlotPhase } from './situation.ts';

export class Draft {
  readonly actions: Action[] = [];
  readonly slots: SlotPhase[] = [];
  wakeAt: number | undefined;
  wakeFrom: number | undefined;
  readonly #base: Memory;
  readonly #runs: Record<string, RunMemory>;
  readonly #slots: Record<number, SlotMemory>;

  constructor(memory: Memory) {
    this.#base = memory;
    this.#runs = { ...memory.runs };
    this.#slots = { ...memory.slots };
  }

  run(id: string): RunMemory {
    return this.#runs[id] ?? NO_RUN;
  }

  remember(id: string, memory: RunMemory): void {
    this.#runs[id] = memory;
  }

  slot(slot: number): SlotMemory {
    return this.#slots[slot] ?? NO_SLOT;
  }

  rememberSlot(slot: number, memory: SlotMemory): void {
    this.#slots[slot] = memory;
  }

  say(phase: SlotPhase): void {
    this.slots.push(phase);
  }

  /** @param from already, where somebody else is looked at anyway */
  wake(at: number, from = at): void {
    this.wakeAt = Math.min(this.wakeAt ?? at, at);
    this.wakeFrom = Math.min(this.wakeFrom ?? from, from);
  }

  memory(): Memory {
    return { ...this.#base, runs: this.#runs, slots: this.#slots };
  }
}
