/** `schema`: by which JSON schema are the files judged? */
import configSchema from '../../schemas/config.schema.json' with { type: 'json' };
import serviceSchema from '../../schemas/service.schema.json' with { type: 'json' };
import { type Call, refuse } from './call.ts';
import type { Exit } from './exit-codes.ts';
import { wrongUsage } from './refusal.ts';

export async function schema(call: Call): Promise<Exit> {
  const [which = 'service'] = call.words;
  if (which !== 'service' && which !== 'config') {
    return refuse(call, wrongUsage(`there is no schema ${JSON.stringify(which)}; name service or config`));
  }
  call.terminal.write(`${JSON.stringify(which === 'service' ? serviceSchema : configSchema, null, 2)}\n`);
  return 'fine';
}
