// Who is asked next: a few at a time, and what is in sight before the rest.

/** Rows that are read at once; each asks one thing after the other. */
const ROWS_AT_ONCE_MAX = 4;

/**
 * Turns for rows. However many there are, no more than a few questions are on their way at once.
 * @param {(row: object) => Promise<void>} read does not fail: what goes wrong is the row's own to say
 */
export function turnsOf(read) {
  let waiting = [];
  let running = 0;
  const next = () => {
    while (running < ROWS_AT_ONCE_MAX && waiting.length) {
      const row = waiting.shift();
      running += 1;
      read(row).finally(() => {
        running -= 1;
        next();
      });
    }
  };
  return {
    /** Puts a row in the line, or moves it: in sight it goes to the front. */
    ask(row) {
      waiting = waiting.filter((other) => other !== row);
      if (row.inSight) waiting.unshift(row);
      else waiting.push(row);
      next();
    },
  };
}
