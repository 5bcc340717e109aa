/** What may happen in a history? Plain data, drawn from the seed before anything runs, so that steps can be left out. */
import type { Verb } from '../../src/api/contract.ts';
import type { ServiceName } from '../../src/model/names.ts';
import type { Signal } from '../../src/model/signals.ts';
import type { CrashMoment } from '../twins/injector.ts';
import type { Program } from '../twins/program.ts';
import type { FileText } from './service-file.ts';
import type { Fate } from './simulation.ts';

export type Step =
  | { readonly step: 'wait'; readonly ms: number }
  /** Writes the file, or other values into it. */
  | { readonly step: 'edit'; readonly service: ServiceName; readonly change: Partial<FileText> }
  | { readonly step: 'add'; readonly text: FileText }
  | { readonly step: 'break' | 'mend' | 'remove_file'; readonly service: ServiceName }
  | { readonly step: 'directory'; readonly condition: 'there' | 'empty' | 'unreadable' }
  /** null: everything. */
  | { readonly step: 'reload'; readonly only: readonly ServiceName[] | null }
  | { readonly step: 'prune' }
  /** How runs of a program behave that are started from now on. */
  | { readonly step: 'program'; readonly path: string; readonly program: Program }
  /** Somebody kills a process of ours. */
  | {
      readonly step: 'murder';
      readonly service: ServiceName;
      readonly which: number;
      readonly signal: Signal;
    }
  | {
      readonly step: 'command';
      readonly verb: Verb;
      readonly service: ServiceName;
      readonly for?: number;
      readonly instances?: number;
    }
  /** The daemon dies within its own work, at the `calls`-th change that it makes to the world. */
  | { readonly step: 'crash'; readonly calls: number; readonly moment: CrashMoment; readonly fate: Fate }
  | { readonly step: 'die'; readonly politely: boolean; readonly fate: Fate }
  | {
      readonly step: 'blind';
      readonly what: 'tree' | 'service' | 'run';
      readonly service: ServiceName;
      readonly ms: number;
    }
  /** The kernel refuses to signal, to kill and to remove. */
  | { readonly step: 'stubborn'; readonly ms: number }
  /** A second run appears in a place that is filled: as after a mishap that we do not know of. */
  | { readonly step: 'double'; readonly service: ServiceName }
  | { readonly step: 'disk_full'; readonly ms: number }
  | { readonly step: 'wakes'; readonly how: 'prompt' | 'unsure' }
  /** Everything is stopped, the daemon leaves and comes back. */
  | { readonly step: 'shutdown'; readonly patience: number; readonly fate: Fate };
