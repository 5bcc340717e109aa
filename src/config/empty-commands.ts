/** Does every command name a program? Without one nothing can be started, however often it is tried. */
import type { Problem } from '../model/problem.ts';
import type { CompleteService } from './generated/types.ts';
import { type Origin, type Path, problemAt } from './raw-tree.ts';

type Command = string | readonly (string | number | boolean)[];

/** Of a tree in which variables are filled in: `${env:PROGRAM}` may be empty too. */
export function emptyCommands(service: CompleteService, origin: Origin): readonly Problem[] {
  const { process, hooks, probes } = service;
  const commands: readonly (readonly [Path, Command | undefined])[] = [
    [['process', 'command'], process.command],
    [['process', 'stop_command'], process.stop_command],
    [['process', 'reload_command'], process.reload_command],
    ...Object.entries(hooks).map(([name, hook]) => [['hooks', name, 'command'], hook?.command] as const),
    ...Object.entries(probes).map(([kind, probe]) => [['probes', kind, 'exec'], probe?.exec] as const),
  ];
  return commands.flatMap(([path, command]): Problem[] => {
    if (command === '') return [problemAt(origin, path, { code: 'value-invalid', says: 'is empty' })];
    if (command === undefined || typeof command === 'string' || command[0] !== '') return [];
    const says = 'is empty: the first word names the program';
    return [problemAt(origin, [...path, 0], { code: 'value-invalid', says })];
  });
}
