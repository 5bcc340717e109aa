/** `version`: which pmctl is this, and which daemon answers it? */
import packageJson from '../../package.json' with { type: 'json' };
import { PROTOCOL } from '../api/contract.ts';
import { safeText } from '../model/terminal-safe.ts';
import { ask, type Call, printJson, printLines } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { age } from './quantities.ts';
import { isRefusal } from './refusal.ts';

/** Exit 0 also without a daemon: the version of pmctl is an answer. */
export async function version(call: Call): Promise<Exit> {
  const client = { version: packageJson.version, protocol: PROTOCOL };
  const daemon = await ask(call, (there) => there.version());
  if (call.options.json) {
    const told = isRefusal(daemon) ? { daemon: null, error: errorOf(daemon.refused) } : { daemon };
    printJson(call, { client, ...told });
    return 'fine';
  }
  const lines = [`pmctl          ${client.version}  protocol ${client.protocol}`];
  if (isRefusal(daemon)) lines.push(`processmaster  ${daemon.refused.message}`);
  else {
    const up = age(daemon.started_at, call.terminal.now());
    const facts = `pid ${daemon.pid}, up ${up}, ${daemon.containment}, ${daemon.config_directory}`;
    lines.push(`processmaster  ${daemon.version}  protocol ${daemon.protocol}  ${facts}`);
  }
  printLines(call, lines.map(safeText));
  return 'fine';
}

function errorOf({ code, message }: { readonly code: string; readonly message: string }): object {
  return { code, message };
}
