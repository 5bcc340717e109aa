/** How do the places of one service share one draw of chance? */

/** Multiples of the golden ratio's fraction spread evenly over 0 to 1, however many there are. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;

/** What happens to several places at once must not look the same in all of them: each has its own share. */
export function shareOf(chance: number, slot: number): number {
  return (chance + slot * GOLDEN) % 1;
}
