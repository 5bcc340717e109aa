/** How does bash learn to complete our command lines? */
import {
  type CompletedCommand,
  type CompletedOption,
  type Completion,
  type CompletionWords,
  keyNames,
  placeOptions,
} from './completion-words.ts';

/** A script for bash 4 and newer that needs nothing else, not even bash-completion. */
export function bashCompletion(words: CompletionWords): string {
  const { commands, options } = words;
  const names = commands.map(({ name }) => name).join(' ');
  return `# Completes pmctl in bash:  eval "$(pmctl completion bash)"
# Names of services come from the daemon that the line means (-c, --sock); nothing when none answers.
_pmctl() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev= command= count=0 dashes= kind= value= word index
  local program=\${COMP_WORDS[0]/#\\~/$HOME}
  local -a where=() given=()
  [[ $cur == = ]] && cur=
  # What was typed before: the command, its words, and which daemon is meant.
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    [[ $word == = ]] && continue
    if [[ $value ]]; then
      case $value in ${placeOptions(words).join(' | ')}) where+=("$value" "\${word/#\\~/$HOME}") ;; esac
      value=
    elif [[ $dashes ]]; then
      count=$((count + 1))
    elif [[ $word == -- ]]; then
      dashes=1
    elif [[ $word == -* ]]; then
      _pmctl_option "$word" && [[ $kind ]] && value=$word
    elif [[ ! $command ]]; then
      command=$word
    else
      given+=("$word")
      count=$((count + 1))
    fi
  done
  COMPREPLY=()
  if [[ $value ]]; then
    _pmctl_option "$value"
  elif [[ $dashes ]]; then
    kind=nothing
    ((count == 0)) && kind=program
  elif [[ $cur == -* ]]; then
    kind="choices $(_pmctl_options) ${options.flatMap((option) => option.names).join(' ')}"
  elif [[ ! $command ]]; then
    kind='choices ${names}'
  else
    kind=nothing
    case $command:$count in
${commands.flatMap(wordCases).join('\n')}
    esac
  fi
  local -a words=()
  case $kind in
    choices\\ *) words=(\${kind#choices }) ;;
    services | services\\ all)
      words=($("$program" "\${where[@]}" completion services 2>/dev/null) \${kind#services})
      ;;
    keys) words=(${keyNames().join(' ')}) ;;
    files) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- "$cur")) ;;
    directories) compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- "$cur")) ;;
    users) COMPREPLY=($(compgen -u -- "$cur")) ;;
    program) COMPREPLY=($(compgen -c -- "$cur")) ;;
  esac
  for word in "\${words[@]}"; do
    [[ $word == "$cur"* && " \${given[*]} " != *" $word "* ]] && COMPREPLY+=("$word")
  done
  return 0
}

# Sets kind to what the value of this option may be; empty when it takes none.
_pmctl_option() {
  kind=
  case $command:$1 in
${valueCases('*', options).join('\n')}
${commands.flatMap((command) => valueCases(command.name, command.options)).join('\n')}
  esac
  return 0
}

# The options of the command.
_pmctl_options() {
  case $command in
${commands.flatMap(optionCases).join('\n')}
  esac
}

complete -F _pmctl pmctl
`;
}

function wordCases({ name, words, repeats }: CompletedCommand): readonly string[] {
  return words.flatMap((word, place) => {
    if (word.is === 'nothing') return [];
    const which = repeats && place === words.length - 1 ? '*' : String(place);
    return [`      ${name}:${which}) kind='${kindOf(word)}' ;;`];
  });
}

function valueCases(command: string, options: readonly CompletedOption[]): readonly string[] {
  return options.flatMap(({ names, value }) => {
    if (value === null) return [];
    return [`    ${names.map((name) => `${command}:${name}`).join(' | ')}) kind='${kindOf(value)}' ;;`];
  });
}

function optionCases({ name, options }: CompletedCommand): readonly string[] {
  if (options.length === 0) return [];
  return [`    ${name}) echo '${options.flatMap((option) => option.names).join(' ')}' ;;`];
}

function kindOf(completion: Completion): string {
  if (completion.is === 'choices') return `choices ${completion.choices.join(' ')}`;
  return completion.is === 'services' && completion.all ? 'services all' : completion.is;
}
