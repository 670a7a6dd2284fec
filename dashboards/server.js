// What the server says: answers once, changes, and the stream of half-minutes.

const QUIET_MS = 120_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];
/** Answers that are waited for at once. */
const AT_ONCE_MAX = 4;

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** What the server did not do, and its words about it. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail ?? `status ${status}`);
    this.status = status;
    this.detail = detail ?? null;
  }
}

async function answerOf(path, options) {
  const answer = await fetch(path, options);
  const text = await answer.text();
  if (answer.ok) return text && JSON.parse(text);
  let detail = null;
  try {
    detail = JSON.parse(text).detail;
  } catch {
    // A proxy between may answer with a page of its own: then the status must do.
  }
  throw new Refused(answer.status, detail);
}

const asJson = { accept: "application/json" };

/** Reads an answer of a whole path of this server. */
export function readPath(path) {
  return answerOf(path, { headers: asJson });
}

/** Reads an answer of the API about venues. */
export function read(path, query = {}) {
  const asked = new URLSearchParams(query).toString();
  return readPath(`/api/v1/venues${path}${asked && `?${asked}`}`);
}

/** An answer, or null where this server has none of its kind. */
export async function ifThere(answer) {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}

/** Asks the server to change something; what it refuses is a `Refused` with its words. */
export function change(method, path, body = null) {
  const headers = body === null ? asJson : { ...asJson, "content-type": "application/json" };
  return answerOf(path, { method, headers, body: body === null ? undefined : JSON.stringify(body) });
}

/** Does some work for each of a list, a few at a time, and gives the results in its order. */
export async function eachOf(list, work) {
  const results = new Array(list.length);
  let next = 0;
  const worker = async () => {
    while (next < list.length) {
      const mine = next;
      next += 1;
      results[mine] = await work(list[mine]);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE_MAX }, worker));
  return results;
}

/** Reads an answer again and again until there is one. */
export async function readUntil(path, onTrouble) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await read(path);
    } catch {
      onTrouble();
      await pause(RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
    }
  }
}

/**
 * Follows a venue's half-minutes for as long as the page is open.
 * @param {string} venue
 * @param {{ live: (answer: object) => void, state: (state: string) => void, again: () => void }} on `again` follows a loss
 */
export function follow(venue, on) {
  let tries = 0;
  let lost = false;
  let quiet;
  const watch = () => {
    clearTimeout(quiet);
    quiet = setTimeout(() => on.state("quiet"), QUIET_MS);
  };
  const show = (answer) => {
    watch();
    on.state("live");
    on.live(answer);
  };
  // Where every place for a stream is taken the newest is asked for instead. Whoever is signed out is shown the door.
  const insteadOf = async () => {
    try {
      show(await read(`/${encodeURIComponent(venue)}/live`));
    } catch (error) {
      on.state("reconnecting");
      if (error instanceof Refused && error.status === 401) location.reload();
    }
  };
  const open = () => {
    const source = new EventSource(`/api/v1/venues/${encodeURIComponent(venue)}/live/stream`);
    source.onmessage = (event) => {
      tries = 0;
      show(JSON.parse(event.data));
      if (lost) on.again();
      lost = false;
    };
    source.onerror = () => {
      lost = true;
      clearTimeout(quiet);
      // A browser comes back by itself from a lost line, but not from a refusal.
      if (source.readyState !== EventSource.CLOSED) {
        on.state("reconnecting");
        return;
      }
      insteadOf();
      setTimeout(open, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
      tries += 1;
    };
  };
  on.state("connecting");
  open();
}
