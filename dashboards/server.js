// What the server says: answers once, and the stream of half-minutes.

const QUIET_MS = 120_000;
const RETRY_MS = [1_000, 2_000, 4_000, 8_000, 15_000];

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

/** Reads an answer of the API. */
export async function read(path, query = {}) {
  const asked = new URLSearchParams(query).toString();
  const answer = await fetch(`/api/v1/venues${path}${asked && `?${asked}`}`, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  return answer.json();
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
  const open = () => {
    const source = new EventSource(`/api/v1/venues/${encodeURIComponent(venue)}/live/stream`);
    source.onmessage = (event) => {
      tries = 0;
      watch();
      on.state("live");
      on.live(JSON.parse(event.data));
      if (lost) on.again();
      lost = false;
    };
    source.onerror = () => {
      lost = true;
      clearTimeout(quiet);
      on.state("reconnecting");
      // A browser comes back by itself from a lost line, but not from a refusal.
      if (source.readyState !== EventSource.CLOSED) return;
      setTimeout(open, RETRY_MS[Math.min(tries, RETRY_MS.length - 1)]);
      tries += 1;
    };
  };
  on.state("connecting");
  open();
}
