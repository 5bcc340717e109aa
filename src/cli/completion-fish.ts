/** How does fish learn to complete our command lines? */
import {
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  type CompletionWords,
  keyNames,
  placeOptions,
} from './completion-words.ts';

export function fishCompletion(words: CompletionWords): string {
  const { commands, options } = words;
  return `# Completes pmctl in fish:  pmctl completion fish > ~/.config/fish/completions/pmctl.fish
# Names of services come from the daemon that the line means (-c, --sock); nothing when none answers.

function __pmctl_services
    set -l line (commandline -opc)
    set -l where
    for index in (seq 2 (count $line))
        if contains -- $line[$index] ${placeOptions(words).join(' ')}
            set -l next (math $index + 1)
            set -q line[$next]; and set -a where $line[$index] (string replace -r '^~(?=/)' $HOME -- $line[$next])
        end
    end
    for name in (command $line[1] $where completion services 2>/dev/null)
        contains -- $name $line; or echo $name
    end
end

# The command on the line and how many words follow it: __pmctl_at stop 0
function __pmctl_at
    set -l command
    set -l words 0
    set -l value
    for word in (commandline -opc)[2..-1]
        if set -q value[1]
            set -e value
        else if test "$word" = --
            return 1
        else if contains -- $word ${valueOptions(commands, options).join(' ')}
            set value $word
        else if string match -q -- '-*' $word
            continue
        else if test -z "$command"
            set command $word
        else
            set words (math $words + 1)
        end
    end
    test "$command" = "$argv[1]"; or return 1
    test (count $argv) -lt 2; or test $words -eq $argv[2]
end

complete -c pmctl -f
${commands.map(({ name, summary }) => `complete -c pmctl -n '__pmctl_at ""' -a ${name} -d ${quoted(summary)}`).join('\n')}
${options.map((option) => `complete -c pmctl ${optionOf(option)}`).join('\n')}
${commands.flatMap(commandLines).join('\n')}
`;
}

function commandLines({ name, options, words, repeats }: CompletedCommand): readonly string[] {
  const places = words.flatMap((word, place) => {
    const argument = argumentOf(word);
    if (argument === '') return [];
    const at = repeats && place === words.length - 1 ? name : `${name} ${place}`;
    return [`complete -c pmctl -n '__pmctl_at ${at}' ${argument}`];
  });
  const own = options.map((option) => `complete -c pmctl -n '__pmctl_at ${name}' ${optionOf(option)}`);
  return [...places, ...own];
}

function optionOf({ names, summary, value }: CompletedOption): string {
  const flags = names.map((name) => (name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const taken = value === null ? [] : [value.is === 'files' ? '-r' : '-x', argumentOf(value)];
  return [...flags, ...taken, '-d', quoted(summary)].filter((part) => part !== '').join(' ');
}

function argumentOf(completion: Completion): string {
  switch (completion.is) {
    case 'services':
      return completion.all ? "-a '(__pmctl_services) all'" : "-a '(__pmctl_services)'";
    case 'files':
      return '-F';
    case 'directories':
      return "-a '(__fish_complete_directories)'";
    case 'users':
      return "-a '(__fish_complete_users)'";
    case 'keys':
      return `-a ${quoted(keyNames().join(' '))}`;
    case 'choices':
      return `-a ${quoted(completion.choices.join(' '))}`;
    case 'program':
      return "-a '(__fish_complete_command)'";
    case 'nothing':
      return '';
  }
}

/** Options whose value is the next word. */
function valueOptions(
  commands: readonly CompletedCommand[],
  options: readonly CompletedOption[],
): readonly string[] {
  const all = [...options, ...commands.flatMap((command) => command.options)];
  return [...new Set(all.filter(({ value }) => value !== null).flatMap(({ names }) => names))];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
