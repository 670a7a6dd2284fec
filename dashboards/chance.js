// Whether a difference is more than chance: by how much single days differ, and not by the estimate's doubt.

/** Of fewer days nothing is said: how days differ is not to be seen in them. */
export const DAYS_MIN = 4;
/**
 * Two-sided 95 % quantiles of Student's t by degrees of freedom; between two of them the fewer degrees hold, and so the
 * wider bound.
 */
const T_95 = [[3, 3.182], [4, 2.776], [5, 2.571], [6, 2.447], [7, 2.365], [8, 2.306], [10, 2.228], [12, 2.179], [15, 2.131], [20, 2.086], [30, 2.042], [60, 2], [120, 1.98]];

/**
 * What the differences of single days tell of their mean: a paired t-test. It takes days for independent of each other;
 * where one busy day draws the next after it, chance reaches further than it says.
 * @param {number[]} differences of each day to the day that it is held against
 * @returns {"more" | "within" | "few"} more than chance at 95 %, no more than that, or too few days to tell
 */
export function chanceOf(differences) {
  const n = differences.length;
  if (n < DAYS_MIN) return "few";
  const mean = differences.reduce((all, one) => all + one, 0) / n;
  const variance = differences.reduce((all, one) => all + (one - mean) ** 2, 0) / (n - 1);
  const t = T_95.findLast(([degrees]) => degrees <= n - 1)[1];
  return Math.abs(mean) > t * Math.sqrt(variance / n) ? "more" : "within";
}

/**
 * The same of one place against another, each in two periods: whether their ratio has changed.
 * @param {[number, number][]} mine days of one place, each with the day that it is held against
 * @param {[number, number][]} theirs the same days of the other
 */
export function chanceOfRatio(mine, theirs) {
  const both = mine.map((pair, i) => [...pair, ...theirs[i]]).filter((four) => four.every((value) => value > 0));
  return chanceOf(both.map(([after, before, afterThere, beforeThere]) => Math.log(after / before) - Math.log(afterThere / beforeThere)));
}
