/** How does zsh learn to complete our command lines? */
import {
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  type CompletionWords,
  keyNames,
  placeOptions,
} from './completion-words.ts';

/** For `_arguments` of zshcompsys(1); works as a file `_pmctl` on the fpath and by `eval`. */
export function zshCompletion(words: CompletionWords): string {
  const { commands, options } = words;
  return `#compdef pmctl
# Completes pmctl in zsh:  pmctl completion zsh > ~/.zfunc/_pmctl  (with ~/.zfunc on the fpath, before compinit)
# Names of services come from the daemon that the line means (-c, --sock); nothing when none answers.

_pmctl_services() {
  local -a where services
  local index
  for ((index = 1; index < \${#_pmctl_line}; index++)); do
    case \${_pmctl_line[index]} in
      ${placeOptions(words).join(' | ')}) where+=("\${_pmctl_line[index]}" "\${(Q)_pmctl_line[index + 1]/#\\~/$HOME}") ;;
    esac
  done
  services=(\${(f)"$(_call_program services \${(q)_pmctl_line[1]/#\\~/$HOME} \${(q)where} completion services 2>/dev/null)"})
  services=(\${services:|words})
  compadd -a services
}

_pmctl() {
  local -a _pmctl_line=("\${words[@]}")
  local context state state_descr line
  typeset -A opt_args
  local -a everywhere=(
${options
  .flatMap(optionSpecs)
  .map((spec) => `    ${quoted(spec)}`)
  .join('\n')}
  )
  _arguments -C $everywhere '1:command:->command' '*::word:->word' && return
  case $state in
    command)
      local -a commands=(
${commands.map(({ name, summary }) => `        ${quoted(`${name}:${summary}`)}`).join('\n')}
      )
      _describe -t commands 'command' commands
      ;;
    word)
      case $line[1] in
${commands.map(commandCase).join('\n')}
      esac
      ;;
  esac
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _pmctl "$@"
else
  compdef _pmctl pmctl
fi
`;
}

function commandCase({ name, options, words, repeats }: CompletedCommand): string {
  const places = words.map((word, place) => {
    const last = repeats && place === words.length - 1;
    return last ? `*:${titleOf(word)}:${actionOf(word)}` : `${place + 1}:${titleOf(word)}:${actionOf(word)}`;
  });
  const specs = [...options.flatMap(optionSpecs), ...places].map((spec) => ` ${quoted(spec)}`).join('');
  return `        ${name}) _arguments -s $everywhere${specs} ;;`;
}

/** One for each name; once one of them is on the line, none is offered again, unless it may be repeated. */
function optionSpecs({ names, summary, value, repeats }: CompletedOption): readonly string[] {
  const told = `[${summary.replace(/[[\]\\]/g, '\\$&')}]`;
  const taken = value === null ? '' : `:${titleOf(value)}:${actionOf(value)}`;
  return names.map((name) => `${repeats ? '*' : `(${names.join(' ')})`}${name}${told}${taken}`);
}

function titleOf(completion: Completion): string {
  return completion.is === 'services' ? 'service' : completion.is === 'nothing' ? ' ' : completion.is;
}

function actionOf(completion: Completion): string {
  switch (completion.is) {
    case 'services':
      return completion.all ? '{_pmctl_services; compadd all}' : '_pmctl_services';
    case 'files':
      return '_files';
    case 'directories':
      return '_files -/';
    case 'users':
      return '_users';
    case 'program':
      return '_command_names -e';
    case 'keys':
      return `(${keyNames().join(' ')})`;
    case 'choices':
      return `(${completion.choices.join(' ')})`;
    case 'nothing':
      return ' ';
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
