/** How are many names told in a sentence? */

type Words = readonly (string | number)[];

/** `a, b, …` */
export function firstOf(words: Words, most: number): string {
  return `${words.slice(0, most).join(', ')}${words.length > most ? ', …' : ''}`;
}

/** `a, b and 4 more` */
export function firstAndMore(words: Words, most: number): string {
  const more = words.length - most;
  return `${words.slice(0, most).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
