/** Which options may stand before and after every command? */
import type { OptionRow } from './commands.ts';

export const GLOBAL_OPTIONS: readonly OptionRow[] = [
  {
    flags: '-c, --config <file>',
    summary: 'the master file that names the socket (default ./config.yaml if there is one)',
  },
  { flags: '--sock <path>', summary: 'the socket of the daemon (also PMCTL_SOCK)' },
  {
    flags: '--url <url>',
    summary: 'the address of its API instead, like https://host:4480 (also PMCTL_URL)',
  },
  { flags: '--token-file <file>', summary: 'the token for --url (else PMCTL_TOKEN)' },
  { flags: '--ca-file <file>', summary: 'a certificate to trust at --url' },
  { flags: '--json', summary: 'print JSON, for programs' },
  { flags: '--no-color', summary: 'no colours (also NO_COLOR)' },
];
