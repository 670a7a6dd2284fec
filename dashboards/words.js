// The reader's language, and how numbers and times are written in it. Every word is in `languages/`, one file each.

import { english } from "./languages/en.js";
import { french } from "./languages/fr.js";

const LANGUAGES = { en: english, fr: french };
const KEPT = "passant-language";

/** What a browser keeps for a page may be shut; then nothing is kept. */
function kept() {
  try {
    return localStorage.getItem(KEPT);
  } catch {
    return null;
  }
}

function chosenLanguage() {
  const wished = [kept(), ...(navigator.languages ?? [navigator.language])].filter(Boolean);
  return wished.map((language) => language.slice(0, 2)).find((language) => language in LANGUAGES) ?? "en";
}

/** The words of the language that the reader chose, or else that the browser asks for, as far as there are any. */
export const words = LANGUAGES[chosenLanguage()];

/** The other languages: a code and a name of each. */
export function otherLanguages() {
  return Object.values(LANGUAGES).filter((language) => language !== words).map(({ lang, name }) => ({ lang, name }));
}

/** Shows the page in another language, now and next time. */
export function speak(lang) {
  try {
    localStorage.setItem(KEPT, lang);
  } catch {
    return;
  }
  location.reload();
}

/**
 * How numbers and moments of a venue are written: in its own time zone.
 * @param {string} timeZone an IANA name
 */
export function formats(timeZone) {
  const time = (options) => {
    const format = new Intl.DateTimeFormat(words.locale, { timeZone, hourCycle: "h23", ...options });
    return (at) => format.format(at);
  };
  const stamped = new Intl.DateTimeFormat("en-GB", {
    timeZone, hourCycle: "h23", timeZoneName: "longOffset",
    year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const number = new Intl.NumberFormat(words.locale);
  const signed = new Intl.NumberFormat(words.locale, { signDisplay: "exceptZero" });
  return {
    number: (n) => number.format(n),
    signed: (n) => signed.format(n),
    /** RFC 3339 with the venue's offset, for programs. */
    stamp: (at) => {
      const part = Object.fromEntries(stamped.formatToParts(at).map(({ type, value }) => [type, value]));
      return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}:${part.second}${part.timeZoneName.slice(3) || "Z"}`;
    },
    clock: time({ hour: "2-digit", minute: "2-digit" }),
    second: time({ hour: "2-digit", minute: "2-digit", second: "2-digit" }),
    day: time({ weekday: "long", day: "numeric", month: "long", year: "numeric" }),
    shortDay: time({ weekday: "short", day: "numeric", month: "short" }),
    date: time({ day: "numeric", month: "short" }),
    fullDate: time({ day: "numeric", month: "short", year: "numeric" }),
    month: time({ month: "short", year: "numeric" }),
    moment: time({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" }),
    weekday: time({ weekday: "long" }),
    shortWeekday: time({ weekday: "short" }),
  };
}
