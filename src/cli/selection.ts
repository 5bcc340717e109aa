/** Which services are meant by names, `all` and labels? */
import type { ServiceView } from '../api/contract.ts';
import { isRefusal, type Refusal, refusal, unknownServices, wrongUsage } from './refusal.ts';

export interface Selection {
  readonly words: readonly string[];
  /** Each `key=value`. */
  readonly labels: readonly string[];
}

/** A refusal when the words themselves make no sense, whatever services there are. */
export function checkWords({ words, labels }: Selection): Refusal | undefined {
  if (words.length === 0 && labels.length === 0)
    return wrongUsage('name a service, or all, or select with -l key=value');
  if (words.length > 0 && labels.length > 0) return wrongUsage('name services or select with -l, not both');
  if (words.includes('all') && words.length > 1)
    return wrongUsage('all stands alone: it means every service');
  return undefined;
}

/**
 * The services that are meant, in the order of the status; names are checked before anything is done for any of them.
 * @param ofAll which services `all` and labels may stand for: one that completed is not started again by them
 */
export function select(
  services: readonly ServiceView[],
  selection: Selection,
  ofAll: (service: ServiceView) => boolean = () => true,
): readonly ServiceView[] | Refusal {
  const wrong = checkWords(selection);
  if (wrong !== undefined) return wrong;
  const { words, labels } = selection;
  if (words[0] === 'all') return services.filter(ofAll);
  if (labels.length > 0) {
    const labelled = withLabels(services, labels);
    return isRefusal(labelled) ? labelled : labelled.filter(ofAll);
  }
  return named(services, words);
}

/** All of them when no name is given. */
export function named<Service extends { readonly name: string }>(
  services: readonly Service[],
  names: readonly string[],
): readonly Service[] | Refusal {
  if (names.length === 0) return services;
  const known = services.map(({ name }) => name);
  const unknown = [...new Set(names)].filter((name) => !known.includes(name));
  if (unknown.length > 0) return unknownServices(unknown, known);
  return services.filter(({ name }) => names.includes(name));
}

/** All of them when no label is given; a refusal when no service has these labels. */
export function withLabels(
  services: readonly ServiceView[],
  labels: readonly string[],
): readonly ServiceView[] | Refusal {
  const matching = services.filter((service) =>
    labels.every((label) => {
      const equals = label.indexOf('=');
      const key = label.slice(0, equals);
      return Object.hasOwn(service.labels, key) && service.labels[key] === label.slice(equals + 1);
    }),
  );
  if (labels.length === 0 || matching.length > 0) return matching;
  return refusal('error', 'no_such_label', `no service has label ${labels.join(', ')}`);
}
