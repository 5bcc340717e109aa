/** `completion`: which script makes a shell complete our command lines? */

import { isServiceName } from '../model/names.ts';
import { type Call, printLines, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { isRefusal, wrongUsage } from './refusal.ts';

/** A key was pressed, and somebody waits for what it brings. Milliseconds. */
const PATIENCE = 700;

const SHELLS = ['bash', 'zsh', 'fish'];

export async function completion(call: Call): Promise<Exit> {
  const [shell = ''] = call.words;
  if (shell === 'services') return services(call);
  const script = await scriptFor(shell);
  if (script === undefined) {
    const sentence = `no completion for ${JSON.stringify(shell)}; it is there for ${SHELLS.join(', ')}`;
    return refuse(call, wrongUsage(sentence));
  }
  call.terminal.write(script);
  return 'fine';
}

async function scriptFor(shell: string): Promise<string | undefined> {
  const { completionWords } = await import('./completion-words.ts');
  switch (shell) {
    case 'bash':
      return (await import('./completion-bash.ts')).bashCompletion(completionWords());
    case 'zsh':
      return (await import('./completion-zsh.ts')).zshCompletion(completionWords());
    case 'fish':
      return (await import('./completion-fish.ts')).fishCompletion(completionWords());
    default:
      return undefined;
  }
}

/** For the scripts: the names of all services, one a line. Silent and soon over, also when nobody answers. */
async function services(call: Call): Promise<Exit> {
  const daemon = await call.daemon(AbortSignal.timeout(PATIENCE));
  const view = isRefusal(daemon) ? daemon : await daemon.status();
  if (!isRefusal(view))
    printLines(
      call,
      // What is no name would be typed into the command line.
      view.services.map(({ name }) => name).filter(isServiceName),
    );
  return 'fine';
}
