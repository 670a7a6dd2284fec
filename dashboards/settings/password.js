// One's own password: the old one is asked for, and every other session ends.

import { words } from "../words.js";
import { change } from "../server.js";
import { place } from "../markup.js";

/** Opens the form to whoever is signed in. */
export function passwordOf(name) {
  const form = place("password-form");
  const say = (text) => { place("password-said").textContent = text; };
  form.elements.username.value = name;
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = new FormData(form);
    try {
      await change("PATCH", "/api/v1/session", { password: fields.get("password"), new_password: fields.get("new_password") });
      form.reset();
      form.elements.username.value = name;
      say(words.password.changed);
    } catch (error) {
      say(words.password.refused[error.status] ?? error.detail ?? words.failed);
    }
  });
}
