/** What do services say that a program gives as objects, in the words of service files? */
import { join } from 'node:path';
import type { RawService } from '../config/generated/types.ts';
import type { ServiceDirectory } from '../config/load.ts';
import { serviceName } from '../model/names.ts';
import type { Problem } from '../model/problem.ts';
import { SERVICES } from './kinds.ts';
import { ofKind } from './known-keys.ts';
import { invalid } from './processmaster-error.ts';

/** What a service file says; the name is the key. */
export type ServiceDefinition = Omit<RawService, 'name'>;

export type Services = Readonly<Record<string, ServiceDefinition>>;

/** A text that stands for the file of one service. */
export interface GivenText {
  readonly file: string;
  readonly text: string;
}

/**
 * @param services programs in JavaScript may give anything; a list or a Map would mean: none at all
 * @param directory relative paths in definitions are meant below it; nothing is read or written there
 * @param reader of texts without a past
 * @throws ProcessmasterError with the code `invalid` and everything that is wrong
 */
export function givenTexts(
  services: Services,
  directory: string,
  reader: Pick<ServiceDirectory, 'load'>,
): readonly GivenText[] {
  ofKind('services', services, SERVICES);
  const written = Object.entries(services).map(([name, service]) => textOf(name, service, directory));
  const unwritten = written.flatMap((each) => ('code' in each ? [each] : []));
  const texts = written.flatMap((each) => ('text' in each ? [each] : []));
  // Whatever is said about the others is worth knowing, too.
  const { problems } = reader.load('never', texts);
  const wrong = [...unwritten, ...problems.filter(({ severity }) => severity === 'error').map(unplaced)];
  if (wrong.length > 0) throw invalid(wrong);
  return texts;
}

function textOf(name: string, service: ServiceDefinition, directory: string): GivenText | Problem {
  const refuse = (code: Problem['code'], message: string): Problem => ({
    ...{ code, severity: 'error', message, service: name },
  });
  const checked = serviceName(name);
  if (typeof checked !== 'string') return refuse('name-invalid', checked.refused);
  if (typeof service !== 'object' || service === null || Array.isArray(service)) {
    return refuse('value-invalid', `the definition of ${name} is no object`);
  }
  if ('name' in service && service.name !== name) {
    return refuse(
      'name-invalid',
      `the key of the service is ${name}, its name ${JSON.stringify(service.name)}`,
    );
  }
  try {
    return { file: join(directory, `${name}.yaml`), text: JSON.stringify({ ...service, name }) };
  } catch (error) {
    return refuse('value-invalid', `the definition of ${name} cannot be written as JSON: ${String(error)}`);
  }
}

/** Nobody can look up a line of a file that is none. */
function unplaced({ file, line: _, column: __, ...problem }: Problem): Problem {
  const name = /([^/]+)\.yaml$/.exec(file ?? '')?.[1];
  return name === undefined || problem.service !== undefined ? problem : { ...problem, service: name };
}
