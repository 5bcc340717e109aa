/** How exactly do the times of a file tell when something was written? */

/**
 * They come from a clock that stands still between two ticks of the kernel, of 10 ms at most (CONFIG_HZ=100), while any
 * other clock goes on: what was written later than a moment may look this much older. Milliseconds, twice that tick.
 */
export const FILE_TICK = 20;

/**
 * The same where a file system has seconds only (ext4 with inodes of 128 bytes), or every other second (FAT).
 * Milliseconds.
 */
export const COARSE_FILE_TICK = 2020;
