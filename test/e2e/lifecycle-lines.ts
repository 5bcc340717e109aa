/** What do the lifecycle lines of the daemon say? Read as a program of a user would read them. */

export interface LifecycleLine {
  readonly event: string;
  readonly service: string | undefined;
  readonly fields: Readonly<Record<string, string>>;
}

const PAIR = /([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)/g;

export function lifecycleLines(text: string): readonly LifecycleLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('processmaster:lifecycle '))
    .map((line) => {
      const fields: Record<string, string> = {};
      for (const [, key = '', value = ''] of line.matchAll(PAIR)) {
        fields[key] = value.startsWith('"') ? (JSON.parse(value) as string) : value;
      }
      return { event: fields['event'] ?? '', service: fields['service'], fields };
    });
}
