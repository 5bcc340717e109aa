/** Which commands are about applied states, and which options do diff and update have for them? */
import { CONFIGURATION, type CommandRow, noWait, type OptionRow, timeout, wait } from './command-row.ts';
import { UnreadableValue, wholeNumber } from './option-values.ts';

export const diffOptions: readonly OptionRow[] = [
  { flags: '--out <file>', summary: 'save the plan, for update FILE' },
];

export const updateOptions: readonly OptionRow[] = [
  {
    flags: '--on-failure <what>',
    summary:
      'when a service fails: stop (the default) begins nothing more, rollback goes back, continue goes on',
    choices: ['stop', 'rollback', 'continue'],
    parse: (text) => onFailure(text),
  },
];

export const syncOptions: readonly OptionRow[] = updateOptions.map((row) => ({
  ...row,
  summary: 'when a service fails: as sync.on_failure says (stop), unless told stop, rollback or continue',
}));

const prune: OptionRow = { flags: '--prune', summary: 'confirm removals that the guard holds back' };

export const DEPLOYS: readonly CommandRow[] = [
  {
    name: 'history',
    words: '',
    group: CONFIGURATION,
    summary: 'the states that were applied, newest first, and what became of them',
    options: [{ flags: '-n, --lines <count>', summary: 'how many (default 20)', parse: wholeNumber }],
    load: async () => (await import('./history.ts')).history,
  },
  {
    name: 'show',
    words: '<snapshot> [service]',
    group: CONFIGURATION,
    summary: 'the files of an applied state; with a service the text of its file',
    options: [],
    load: async () => (await import('./history.ts')).show,
  },
  {
    name: 'rollback',
    words: '[snapshot]',
    group: CONFIGURATION,
    summary: 'go back to an applied state (default: the last that converged), and leave the files unfollowed',
    options: [prune, wait, noWait, timeout],
    load: async () => (await import('./rollback.ts')).rollback,
  },
  {
    name: 'resume',
    words: '',
    group: CONFIGURATION,
    summary: 'follow the files again after a rollback or a failed update',
    options: [prune, wait, noWait, timeout],
    load: async () => (await import('./rollback.ts')).resume,
  },
];

function onFailure(text: string): string {
  if (['stop', 'rollback', 'continue'].includes(text)) return text;
  throw new UnreadableValue('Write stop, rollback or continue.');
}
