/** What of an answer is not for those who may only read? */
import type { FieldChange } from '../model/action.ts';

/** As values of secrets are shown to everybody. */
const HIDDEN = '(hidden)';

/**
 * Takes the values of environment variables out of the changes that an answer tells of: that a variable differs, and
 * where, is left. A password that somebody wrote into a service file in plain is so told to nobody who could not also
 * deploy.
 * @param answer of any call; never changed itself
 */
export function withoutValues(answer: unknown): unknown {
  if (typeof answer !== 'object' || answer === null) return answer;
  if (!('changes' in answer) || !Array.isArray(answer.changes)) return answer;
  return { ...answer, changes: answer.changes.map(ofChange) };
}

/** A field that changes, or a service that does, because of some fields. */
function ofChange(change: FieldChange | { readonly because: readonly FieldChange[] }): unknown {
  return 'because' in change ? { ...change, because: change.because.map(ofField) } : ofField(change);
}

function ofField(field: FieldChange): FieldChange {
  if (!field.path.startsWith('process.env.')) return field;
  return {
    ...field,
    ...(field.from === undefined ? {} : { from: HIDDEN }),
    ...(field.to === undefined ? {} : { to: HIDDEN }),
  };
}
